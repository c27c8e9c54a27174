// SPDX-License-Identifier: Apache-2.0
// Models fetched, verified, removed and exported.
#include "api/api_error.h"
#include "api/api_progress.h"
#include "model/model_registry.h"
#include "store/check_model.h"
#include "store/export_model.h"
#include "store/pull_model.h"

using namespace llma::api;

namespace {

std::string OrEmpty(const char* text) { return text == nullptr ? "" : text; }

llma::store::PullRequest RequestOf(const char* source,
                                   const llma_pull_options& options) {
  llma::store::PullRequest request;
  request.source = source;
  request.sha256 = OrEmpty(options.sha256);
  request.name = OrEmpty(options.name);
  request.start_token = OrEmpty(options.start_token);
  request.adapter = OrEmpty(options.adapter);
  request.folder = OrEmpty(options.folder);
  request.keeps_source = options.keep_source != 0;
  request.overwrite = options.overwrite != 0;
  return request;
}

void CopyFingerprint(const llma::Fingerprint& from, uint8_t* to) {
  if (to != nullptr) std::copy(from.begin(), from.end(), to);
}

}  // namespace

extern "C" {

llma_status llma_model_pull(const char* source,
                            const llma_pull_options* options,
                            char** written_path, char** source_path,
                            uint8_t* fingerprint, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(source);
    llma_pull_options how{};
    if (options != nullptr) {
      LLMA_ASSIGN(how, Load(options));
    }
    ProgressTeller teller(how.progress, how.user);
    llma::store::PullCallbacks callbacks;
    callbacks.progress = [&teller](uint64_t done, uint64_t total) {
      return teller.Tell(done, total, 0);
    };
    callbacks.note = [&how](const std::string& text) {
      if (how.note != nullptr) CallBack(how.note, how.user, text.c_str());
    };
    LLMA_ASSIGN(const llma::store::PulledModel pulled,
                llma::store::PullModel(RequestOf(source, how), callbacks));
    OwnedString path(pulled.path), kept(pulled.source_path);
    path.ReleaseTo(written_path);
    if (pulled.source_path.empty()) {
      if (source_path != nullptr) *source_path = nullptr;
    } else {
      kept.ReleaseTo(source_path);
    }
    CopyFingerprint(pulled.fingerprint, fingerprint);
    return llma::OkStatus();
  });
}

llma_status llma_model_verify(const char* name_or_path, char** path,
                              uint8_t* fingerprint, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_ASSIGN(const std::string found,
                llma::store::FindModelPath(OrEmpty(name_or_path)));
    LLMA_ASSIGN(const auto model, llma::store::VerifyModel(found));
    OwnedString(found).ReleaseTo(path);
    CopyFingerprint(model->fingerprint(), fingerprint);
    return llma::OkStatus();
  });
}

llma_status llma_model_remove(const char* name, char** path,
                              llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(name);
    LLMA_ASSIGN(const std::string removed, llma::store::RemoveModel(name));
    OwnedString(removed).ReleaseTo(path);
    return llma::OkStatus();
  });
}

llma_status llma_model_export(const char* name_or_path,
                              const char* archive_path, int overwrite,
                              llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(archive_path);
    LLMA_ASSIGN(const std::string found,
                llma::store::FindModelPath(OrEmpty(name_or_path)));
    return llma::store::ExportModel(
        found, archive_path, overwrite != 0,
        std::string("llma ") + llma_version_string());
  });
}

}  // extern "C"
