// SPDX-License-Identifier: Apache-2.0
#include "store/pull_model.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "importer/model_import.h"
#include "model/model_header.h"
#include "model/model_registry.h"
#include "store/download.h"
#include "store/http_client.h"
#include "store/model_catalog.h"
#include "store/url.h"

namespace llma::store {
namespace {

namespace fs = std::filesystem;

constexpr char kDefaultEndpoint[] = "https://huggingface.co";
// An import of 4 bits a weight gives about 8; larger sources give less.
constexpr uint64_t kSizesOfImport = 2;

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

// What is to be fetched, and how it will be called.
struct Plan {
  DownloadSource source;
  std::string name;
  std::string license;
  bool is_verified = true;  // false: an entry that may be wrong
};

Error UnknownName(const std::string& name) {
  std::string what = "no model is known as " + name + "; known are";
  for (const CatalogEntry& entry : Catalog()) {
    what += " " + std::string(entry.name);
  }
  return Error{ErrorCode::kUsage,
               what + "; others by the address of a GGUF file"};
}

Result<Plan> MakePlan(const PullRequest& request) {
  std::string endpoint = Environment("HF_ENDPOINT");
  if (endpoint.empty()) endpoint = kDefaultEndpoint;
  while (endpoint.ends_with('/')) endpoint.pop_back();
  const auto endpoint_url = ParseUrl(endpoint);
  if (!endpoint_url) {
    return Error{ErrorCode::kUsage,
                 "HF_ENDPOINT: " + endpoint_url.error().what};
  }
  Plan plan;
  plan.source.token = Environment("HF_TOKEN");
  for (const char c : plan.source.token) {
    if (c <= ' ' || c > '~') {
      return Error{ErrorCode::kUsage, "HF_TOKEN: is not a token"};
    }
  }
  plan.source.token_origin = endpoint_url->origin();
  plan.source.sha256 = request.sha256;
  plan.name = request.name;
  if (LooksLikeUrl(request.source)) {
    LLMA_ASSIGN(const Url url, ParseUrl(request.source));
    plan.source.url = url.text;
    if (plan.name.empty()) plan.name = ModelNameFromPath(url.file_name());
  } else {
    const CatalogEntry* entry = FindCatalogName(request.source);
    if (entry == nullptr) return UnknownName(request.source);
    plan.source.url = endpoint + "/" + std::string(entry->repository) +
                      "/resolve/" + std::string(entry->revision) + "/" +
                      std::string(entry->file);
    if (plan.source.sha256.empty()) {
      plan.source.sha256 = entry->sha256;
      plan.source.size_bytes = entry->size_bytes;
    }
    if (plan.name.empty()) plan.name = entry->name;
    plan.license = entry->license;
    plan.is_verified = entry->verified == Verified::kFile;
  }
  if (!IsValidModelName(plan.name)) {
    return Error{ErrorCode::kUsage,
                 "'" + plan.name +
                     "' is no model name: 1 to 64 of a-z, 0-9, . _ -: choose "
                     "one with --name"};
  }
  if (!plan.source.sha256.empty() && !IsSha256Text(plan.source.sha256)) {
    return Error{ErrorCode::kUsage,
                 "--sha256: expected 64 hexadecimal digits in lower case"};
  }
  return plan;
}

Result<std::string> MakeFolder(const PullRequest& request) {
  const std::string folder =
      request.folder.empty() ? UserModelFolder() : request.folder;
  if (folder.empty()) {
    return Error{ErrorCode::kUsage,
                 "neither HOME nor XDG_DATA_HOME is set: set one"};
  }
  std::error_code error;
  fs::create_directories(folder, error);
  if (error) return Error{ErrorCode::kIo, folder + ": " + error.message()};
  return folder;
}

}  // namespace

Result<PulledModel> PullModel(const PullRequest& request,
                              const PullCallbacks& callbacks) {
  LLMA_ASSIGN(const Plan plan, MakePlan(request));
  const auto note = [&callbacks](const std::string& text) {
    if (callbacks.note) callbacks.note(text);
  };
  LLMA_ASSIGN(const std::string folder, MakeFolder(request));
  PulledModel pulled;
  pulled.path = folder + "/" + plan.name + ".llmm";
  std::error_code error;
  if (!request.overwrite && fs::exists(pulled.path, error)) {
    return Error{ErrorCode::kUsage, pulled.path +
                                        " exists already: -f fetches "
                                        "and imports it anew"};
  }
  const std::string source_path = folder + "/" + plan.name + ".gguf";
  bool is_here = false;
  if (!plan.source.sha256.empty()) {
    const auto found = Sha256OfFile(source_path);
    is_here = found && *found == plan.source.sha256;
  }
  if (is_here) {
    note(source_path + ": is there already, with the right SHA-256");
  } else {
    note("from " + plan.source.url);
    if (!plan.license.empty()) note("license: " + plan.license);
    if (!plan.is_verified) {
      note("nobody of us has fetched this file; its address may be wrong");
    }
    LLMA_ASSIGN(const Downloaded got,
                Download(plan.source, source_path,
                         {callbacks.progress, kSizesOfImport}));
    note("SHA-256 " + got.sha256 +
         (got.is_hash_from_host ? ", as its host says; we know of no other"
                                : ", as expected"));
  }
  ImportOptions how;
  how.name = plan.name;
  how.start_token = request.start_token;
  how.overwrite = request.overwrite;
  how.note = note;
  const auto fingerprint = ImportModel(source_path, pulled.path, how);
  if (!fingerprint) {
    return Error{fingerprint.error().code,
                 fingerprint.error().what + ": " + source_path + " is kept",
                 fingerprint.error().offset};
  }
  pulled.fingerprint = *fingerprint;
  if (request.keeps_source) {
    pulled.source_path = source_path;
  } else {
    ::unlink(source_path.c_str());
  }
  return pulled;
}

}  // namespace llma::store
