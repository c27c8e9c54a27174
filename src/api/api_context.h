// SPDX-License-Identifier: Apache-2.0
// What calls behind the C interface keep for the next ones.
#ifndef LLMA_API_API_CONTEXT_H_
#define LLMA_API_API_CONTEXT_H_

#include <llma/llma.h>

#include <list>
#include <memory>
#include <mutex>

#include "api/api_model.h"
#include "codec/compress_context.h"
#include "platform/machine/process.h"

namespace llma::api {

// Thread-safe.
class Context {
 public:
  CompressContext& codec() { return codec_; }
  // A child of fork() has none of its threads.
  bool is_of_this_process() const { return ProcessId() == process_; }
  // So that the next call finds the model open.
  void Keep(const SharedModel& model) {
    const std::lock_guard lock(mutex_);
    models_.remove(model);
    models_.push_front(model);
    if (models_.size() > kMaxModels) models_.pop_back();
  }

 private:
  static constexpr size_t kMaxModels = 4;

  const int64_t process_ = ProcessId();
  CompressContext codec_;
  std::mutex mutex_;
  std::list<SharedModel> models_;  // the one used last in front
};
using SharedContext = std::shared_ptr<Context>;

}  // namespace llma::api

struct llma_context {
  llma::api::SharedContext shared;
};

#endif  // LLMA_API_API_CONTEXT_H_
