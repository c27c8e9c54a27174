// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_CODEC_COMPRESS_CONTEXT_H_
#define LLMA_CODEC_COMPRESS_CONTEXT_H_

#include <list>
#include <memory>
#include <mutex>

#include "base/status.h"
#include "codec/codec_context.h"
#include "model/model.h"
#include "tokenizer/tokenizer.h"

namespace llma {

// A context that can also compress. Thread-safe.
class CompressContext : public CodecContext {
 public:
  // The model's. It may be used as long as the model lives.
  Result<std::shared_ptr<const Tokenizer>> TokenizerOf(const Model& model);

 private:
  struct Known {
    std::weak_ptr<const void> life;  // of the model
    const Model* model;
    std::shared_ptr<const Tokenizer> tokenizer;
  };
  // Each takes some megabytes.
  static constexpr size_t kMaxTokenizers = 4;

  std::mutex mutex_;
  std::list<Known> known_;  // the one used last in front
};

}  // namespace llma

#endif  // LLMA_CODEC_COMPRESS_CONTEXT_H_
