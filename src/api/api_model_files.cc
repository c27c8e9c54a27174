// SPDX-License-Identifier: Apache-2.0
// Models by their names, and files.
#include <algorithm>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <tuple>
#include <vector>

#include "api/api_error.h"
#include "api/api_model.h"
#include "model/model_registry.h"
#include "platform/descriptors.h"
#include "platform/file_info.h"
#include "platform/machine/process.h"
#include "store/check_model.h"

namespace llma::api {
namespace {

// What distinguishes one state of a file from another.
using FileKey = std::tuple<uint64_t, uint64_t, uint64_t, int64_t, int64_t>;

FileKey KeyOf(const FileInfo& info) {
  return {info.device, info.number, info.size_bytes, info.written_time.seconds,
          info.written_time.nanoseconds};
}

// Models that some handle holds. Never destroyed, for threads may outlive
// main().
struct OpenModels {
  std::mutex mutex;
  std::map<FileKey, std::weak_ptr<const OpenedModel>> by_file;
};

OpenModels& TheOpenModels() {
  static auto* models = [] {
    auto* made = new OpenModels;
    // In a child the lock is free, whoever held it when the process forked.
    CallAroundForks([] { TheOpenModels().mutex.lock(); },
                    [] { TheOpenModels().mutex.unlock(); });
    return made;
  }();
  return *models;
}

// "PATH: at byte 7: ..." without what is not known or said already.
Error WithPath(const Error& error, const std::string& path) {
  const std::string prefix = path + ": ";
  const bool has_offset = error.offset != Error::kNoOffset;
  std::string what = error.what;
  if (what.starts_with(prefix)) {
    what.erase(0, prefix.size());
  } else if (what.find(path) != std::string::npos) {
    return error;
  }
  return Error{
      error.code,
      prefix +
          (has_offset ? "at byte " + std::to_string(error.offset) + ": " : "") +
          what};
}

Result<SharedModel> OpenPath(const std::string& path) {
  OpenModels& open = TheOpenModels();
  const std::lock_guard lock(open.mutex);
  std::erase_if(open.by_file, [](const auto& e) { return e.second.expired(); });
  // Key and content are of the file that is open, whatever the path names by
  // then.
  const Descriptor fd = OpenForReading(path);
  const auto info = fd.is_open() ? InfoOf(fd.get()) : std::nullopt;
  if (!info) return SystemError("cannot open " + path);
  const auto found = open.by_file.find(KeyOf(*info));
  if (found != open.by_file.end()) {
    if (SharedModel model = found->second.lock()) return model;
  }
  LLMA_ASSIGN(MappedFile file, MappedFile::Map(fd.get(), path));
  auto model = Model::FromBytes(file.bytes());
  if (!model) return WithPath(model.error(), path);
  const SharedModel shared =
      ShareModel(path, std::move(file), {}, *std::move(model));
  open.by_file[KeyOf(*info)] = shared;
  return shared;
}

}  // namespace

Result<SharedModel> OpenByName(const std::string& name_or_path) {
  LLMA_ASSIGN(const std::string path, store::FindModelPath(name_or_path));
  return OpenPath(path);
}

Result<SharedModel> FindByPrefix(Bytes id, uint32_t candidate) {
  // All files of each model: one of them may be damaged.
  std::vector<std::vector<InstalledModel>> found;
  const auto add = [&](const InstalledModel& model) {
    if (!std::equal(id.begin(), id.end(), model.fingerprint.begin())) return;
    for (auto& files : found) {
      if (files.front().fingerprint != model.fingerprint) continue;
      files.push_back(model);
      return;
    }
    found.push_back({model});
  };
  if (id.size() > sizeof(Fingerprint)) return Usage("id_bytes is above 32");
  if (const auto usual = FindModelByName({})) add(*usual);
  for (const auto& model : ListInstalledModels(ModelSearchPath()).models) {
    add(model);
  }
  if (candidate < found.size()) {
    auto opened = OpenPath(found[candidate].front().path);
    for (const InstalledModel& other : found[candidate]) {
      if (opened) break;
      if (auto sound = OpenPath(other.path)) opened = std::move(sound);
    }
    return opened;
  }
  // It fails; its message says which model the file needs.
  LLMA_ASSIGN(const InstalledModel none, store::FindModelOfFile(id));
  return Error{ErrorCode::kModelMissing,
               "no other model than " + none.name + " fits"};
}

}  // namespace llma::api

using namespace llma::api;

extern "C" {

llma_status llma_model_open(const char* name_or_path, llma_model** model,
                            llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(model);
    LLMA_ASSIGN(SharedModel opened,
                OpenByName(name_or_path == nullptr ? "" : name_or_path));
    *model = new llma_model{std::move(opened)};
    return llma::OkStatus();
  });
}

llma_status llma_model_find(const uint8_t* id, size_t id_bytes,
                            uint32_t candidate, llma_model** model,
                            llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_REQUIRE(model);
    LLMA_ASSIGN(const llma::Bytes prefix, LoadBytes(id, id_bytes));
    LLMA_ASSIGN(SharedModel opened, FindByPrefix(prefix, candidate));
    *model = new llma_model{std::move(opened)};
    return llma::OkStatus();
  });
}

}  // extern "C"
