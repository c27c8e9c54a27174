// SPDX-License-Identifier: Apache-2.0
#include "cli/model_lookup.h"

#include <algorithm>

#include "base/hex.h"
#include "cli/messages.h"
#include "model/model_registry.h"
#include "store/check_model.h"

namespace llma::cli {
namespace {

Result<std::unique_ptr<Model>> OpenPath(const std::string& path) {
  auto model = Model::Open(path);
  if (!model) {
    return Error{model.error().code, FormatError(path, model.error())};
  }
  return model;
}

ModelId IdOf(const Fingerprint& fingerprint) {
  ModelId id;
  std::copy_n(fingerprint.begin(), id.size(), id.begin());
  return id;
}

}  // namespace

Result<std::unique_ptr<Model>> OpenModel(const std::string& name_or_path) {
  LLMA_ASSIGN(const std::string path, store::FindModelPath(name_or_path));
  return OpenPath(path);
}

ModelCache::ModelCache(const std::string& name_or_path)
    : is_auto_(name_or_path == kAutoModelName),
      name_or_path_(is_auto_ ? "" : name_or_path) {}

Result<std::vector<const Model*>> ModelCache::ToCompress(
    uint64_t max_bytes, const std::function<void(const Error&)>& on_problem) {
  if (!is_auto_) {
    LLMA_ASSIGN(const Model* model, Default());
    return std::vector<const Model*>{model};
  }
  std::vector<const Model*> models;
  const InstalledModels installed = ListInstalledModels(ModelPlaces());
  for (const InstalledModel& found : ModelsToTry(installed, max_bytes)) {
    const auto model = Find(IdOf(found.fingerprint));
    if (model) {
      models.push_back(*model);
    } else {
      on_problem(model.error());
    }
  }
  if (!models.empty()) return models;
  // For its text.
  LLMA_ASSIGN(const Model* model, Default());
  return std::vector<const Model*>{model};
}

Result<const Model*> ModelCache::Default() {
  const std::lock_guard lock(mutex_);
  if (!default_) {
    LLMA_ASSIGN(default_, OpenModel(name_or_path_));
  }
  return default_.get();
}

Result<const Model*> ModelCache::Find(const ModelId& id) {
  if (!name_or_path_.empty()) return Default();
  const std::lock_guard lock(mutex_);
  std::unique_ptr<Model>& model = by_id_[id];
  if (!model) {
    LLMA_ASSIGN(const InstalledModel found, store::FindModelOfFile(id));
    LLMA_ASSIGN(model, OpenPath(found.path));
  }
  return model.get();
}

Result<std::vector<const Model*>> ModelCache::FindByFirstByte(uint8_t first) {
  std::vector<const Model*> found;
  if (const auto model = Default();
      model && (*model)->fingerprint()[0] == first) {
    found.push_back(*model);
  }
  if (name_or_path_.empty()) {
    for (const auto& installed : ListInstalledModels(ModelPlaces()).models) {
      if (installed.fingerprint[0] != first) continue;
      LLMA_ASSIGN(const Model* model, Find(IdOf(installed.fingerprint)));
      if (std::find(found.begin(), found.end(), model) == found.end()) {
        found.push_back(model);
      }
    }
  }
  if (!found.empty()) return found;
  return Error{ErrorCode::kModelMissing,
               "needs a model whose fingerprint starts with " +
                   ToHex({&first, 1}) + ": run `llma model import FILE.gguf`"};
}

}  // namespace llma::cli
