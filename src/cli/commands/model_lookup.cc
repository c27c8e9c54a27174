// SPDX-License-Identifier: Apache-2.0
#include "cli/commands/model_lookup.h"

#include <algorithm>

#include "cli/args/options.h"

namespace llma::cli {

ModelCache::ModelCache(const std::string& name_or_path)
    : is_auto_(name_or_path == kAutoModel),
      name_or_path_(is_auto_ ? "" : name_or_path) {}

void ModelCache::AddFile(const Model& model) {
  const std::string path = model.info().path;
  if (const auto info = InfoOf(path)) files_.emplace_back(path, *info);
}

Result<Model> ModelCache::Default() {
  const std::lock_guard lock(mutex_);
  if (!default_) {
    LLMA_ASSIGN(default_, Model::Open(name_or_path_));
    AddFile(*default_);
  }
  return default_->Share();
}

Result<Model> ModelCache::Find(Bytes id, uint32_t candidate) {
  if (!name_or_path_.empty()) {
    if (candidate == 0) return Default();
    return Error{ErrorCode::kModelMissing, "no other model was given"};
  }
  const std::lock_guard lock(mutex_);
  const std::pair key(std::vector(id.begin(), id.end()), candidate);
  auto known = by_id_.find(key);
  if (known == by_id_.end()) {
    LLMA_ASSIGN(Model model, Model::Find(id, candidate));
    AddFile(model);
    known = by_id_.emplace(key, std::move(model)).first;
  }
  return known->second.Share();
}

Result<Model> ModelCache::StartsWith(Bytes id_start) {
  if (!name_or_path_.empty()) return Default();
  {
    const std::lock_guard lock(mutex_);
    for (const auto& [key, model] : by_id_) {
      if (key.second == 0 && key.first.size() >= id_start.size() &&
          std::ranges::equal(Bytes(key.first).first(id_start.size()),
                             id_start)) {
        return model.Share();
      }
    }
  }
  LLMA_ASSIGN(const Model model, Model::Find(id_start, 0));
  return Find(Bytes(model.info().fingerprint, LLMA_FINGERPRINT_BYTES), 0);
}

bool ModelCache::Holds(const FileInfo& file) {
  const auto is_at = [&file](const std::string& path) {
    const auto there = InfoOf(path);
    return there && IsSameFile(*there, file);
  };
  const std::lock_guard lock(mutex_);
  for (const auto& [path, opened] : files_) {
    if (is_at(path)) return true;
  }
  if (!holder_) return false;
  const auto installed = ModelList::Create();
  for (size_t i = 0; installed && i < installed->size(); ++i) {
    if (is_at((*installed)[i].path)) return true;
  }
  return false;
}

Status ModelCache::CheckUnchanged() {
  const std::lock_guard lock(mutex_);
  for (const auto& [path, opened] : files_) {
    const auto now = InfoOf(path);
    // Another file of that name is not the one that is mapped.
    if (!now || !IsSameFile(*now, opened)) continue;
    if (now->size_bytes != opened.size_bytes ||
        now->written_time != opened.written_time) {
      return Error{ErrorCode::kIo,
                   path + ": the model changed while it was in use"};
    }
  }
  return OkStatus();
}

Status ModelCache::SetToCompress(
    llma::Options& options, std::function<void(const std::string&)> on_note) {
  LLMA_ASSIGN(const uint64_t level, options.Get(LLMA_OPTION_LEVEL));
  if (llma_level_uses_model(static_cast<int>(level)) == 0) return OkStatus();
  if (!is_auto_) {
    LLMA_ASSIGN(const Model model, Default());
    return options.SetModel(model);
  }
  LLMA_TRY(options.Set(LLMA_OPTION_AUTO_MODEL, 1));
  if (!holder_) {
    LLMA_TRY(options.SetNote(std::move(on_note)));
    LLMA_ASSIGN(holder_, Encoder::Create(options));
    LLMA_TRY(options.SetNote({}));  // once is enough
  }
  return OkStatus();
}

Status ModelCache::SetToDecompress(llma::Options& options) {
  return options.SetModelFinder(
      [this](Bytes id, uint32_t candidate) { return Find(id, candidate); });
}

}  // namespace llma::cli
