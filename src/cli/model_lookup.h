// SPDX-License-Identifier: Apache-2.0
// Which model a command means, and where it is.
#ifndef LLMA_CLI_MODEL_LOOKUP_H_
#define LLMA_CLI_MODEL_LOOKUP_H_

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/status.h"
#include "codec/codec.h"
#include "container/frame_header.h"
#include "model/model.h"

namespace llma::cli {

// A name of an installed model (model/model_registry.h), or a path: whatever
// has a '/' or ends in ".llmm". Empty: the default model.
Result<std::unique_ptr<Model>> OpenModel(const std::string& name_or_path);

// Models that a command needs, each opened once. Thread-safe.
class ModelCache {
 public:
  // `name_or_path`: used for everything, if not empty. "auto": what compresses
  // is chosen among the installed models.
  explicit ModelCache(const std::string& name_or_path);

  // What compresses, and decompresses what names no model.
  Result<const Model*> Default();
  // What to choose from, at least one: see ModelsToTry(). Those that cannot be
  // opened are left out, and told to `on_problem`.
  Result<std::vector<const Model*>> ToCompress(
      uint64_t max_bytes, const std::function<void(const Error&)>& on_problem);
  // What a frame needs.
  Result<const Model*> Find(const ModelId& id);
  // Those whose fingerprint starts with this byte, the default model first.
  Result<std::vector<const Model*>> FindByFirstByte(uint8_t first);
  ModelProvider provider() {
    return [this](const ModelId& id) { return Find(id); };
  }

 private:
  const bool is_auto_;
  const std::string name_or_path_;
  std::mutex mutex_;
  std::unique_ptr<Model> default_;
  std::map<ModelId, std::unique_ptr<Model>> by_id_;
};

}  // namespace llma::cli

#endif  // LLMA_CLI_MODEL_LOOKUP_H_
