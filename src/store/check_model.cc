// SPDX-License-Identifier: Apache-2.0
#include "store/check_model.h"

#include <cerrno>
#include <cstring>

#include "base/hex.h"
#include "model/fingerprint.h"
#include "platform/file_system.h"
#include "store/model_catalog.h"

namespace llma::store {
Result<std::string> FindModelPath(const std::string& name_or_path) {
  if (IsModelPath(name_or_path)) return name_or_path;
  auto found = FindModelByName(name_or_path);
  if (found) return found->path;
  Error error = found.error();
  if (error.code == ErrorCode::kModelMissing &&
      FindCatalogName(name_or_path) != nullptr) {
    error.what = "the model " + name_or_path +
                 " is not installed: run `llma model pull " + name_or_path +
                 "`";
  } else if (error.code == ErrorCode::kModelMissing && !name_or_path.empty()) {
    error.what += "; known to `llma model pull`:";
    for (const CatalogEntry& entry : Catalog()) {
      error.what += " " + std::string(entry.name);
    }
  }
  return error;
}

Result<std::unique_ptr<Model>> VerifyModel(const std::string& path) {
  LLMA_ASSIGN(auto model, Model::Open(path));
  const Fingerprint computed = ComputeFingerprint(*model);
  if (computed != model->fingerprint()) {
    return Error{ErrorCode::kCorrupt, path + ": its fingerprint is " +
                                          ToHex(computed) + ", and it says " +
                                          ToHex(model->fingerprint())};
  }
  return model;
}

Result<InstalledModel> FindModelOfFile(Bytes id) {
  // Fewer bytes may be of many.
  const CatalogEntry* entry =
      id.size() < kModelIdBytes ? nullptr : FindCatalogFingerprint(id);
  return FindModelById(id, entry == nullptr ? "" : entry->name);
}

Result<std::string> RemoveModel(const std::string& name) {
  if (name.empty() || IsModelPath(name)) {
    return Error{ErrorCode::kUsage,
                 "'" + name + "': expected the name of an installed model"};
  }
  // Never another one that happens to be the only one.
  LLMA_ASSIGN(const std::string path,
              FindModelFile(name == kDefaultAlias ? kDefaultModelName : name));
  if (!RemoveFile(path)) {
    return Error{ErrorCode::kIo,
                 "cannot remove " + path + ": " + std::strerror(errno)};
  }
  return path;
}

}  // namespace llma::store
