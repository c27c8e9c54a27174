// SPDX-License-Identifier: Apache-2.0
// The models that one work with a file needs.
#ifndef LLMA_API_API_MODEL_SOURCE_H_
#define LLMA_API_API_MODEL_SOURCE_H_

#include <map>
#include <memory>
#include <vector>

#include "api/api_options.h"

namespace llma::api {

// Holds them as long as it lives. Thread-compatible.
class ModelSource {
 public:
  explicit ModelSource(const llma_options& options);
  // For a short message: an error after the last candidate.
  Result<const Model*> Find(Bytes id, uint32_t candidate);
  ModelProvider provider();
  // Whether the caller says which, or how to find it.
  bool is_given() const { return model_ != nullptr || find_ != nullptr; }
  SharedModel last() const { return last_; }

 protected:
  Result<const Model*> Hold(Result<SharedModel> model);

 private:
  const SharedContext context_;
  SharedModel model_, last_;
  llma_find_model_fn find_;
  void* user_;
  std::vector<SharedModel> held_;
  std::map<ModelId, const Model*> by_id_;
};

}  // namespace llma::api

#endif  // LLMA_API_API_MODEL_SOURCE_H_
