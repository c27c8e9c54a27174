// SPDX-License-Identifier: Apache-2.0
#include "api/api_model_source.h"

#include "api/api_callback.h"

namespace llma::api {

ModelSource::ModelSource(const llma_options& options)
    : context_(options.context),
      model_(options.model),
      find_(options.find),
      user_(options.find_user) {}

Result<const Model*> ModelSource::Hold(Result<SharedModel> model) {
  if (!model) return model.error();
  last_ = *model;
  if (context_ && context_->is_of_this_process()) context_->Keep(last_);
  held_.push_back(*std::move(model));
  return held_.back()->model.get();
}

Result<const Model*> ModelSource::Find(Bytes id, uint32_t candidate) {
  if (model_) {
    if (candidate == 0) return Hold(model_);
    return Error{ErrorCode::kModelMissing, "no other model was given"};
  }
  if (find_ == nullptr) return Hold(FindByPrefix(id, candidate));
  llma_error error = NoError();
  llma_model* found = nullptr;
  const llma_status status =
      CallBack(find_, user_, id.data(), id.size(), candidate, &found, &error);
  const std::unique_ptr<llma_model> owned(found);
  if (status != LLMA_OK) return FromCallback(status, error);
  if (!owned) return Usage("the model finder gave none");
  return Hold(owned->opened);
}

ModelProvider ModelSource::provider() {
  return [this](const ModelId& id) -> Result<const Model*> {
    const auto known = by_id_.find(id);
    if (known != by_id_.end()) return known->second;
    LLMA_ASSIGN(const Model* model, Find(id, 0));
    by_id_[id] = model;
    return model;
  };
}

}  // namespace llma::api
