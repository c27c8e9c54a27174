// SPDX-License-Identifier: Apache-2.0
#include "codec/compress_context.h"

#include <algorithm>
#include <utility>

namespace llma {

Result<std::shared_ptr<const Tokenizer>> CompressContext::TokenizerOf(
    const Model& model) {
  const std::lock_guard lock(mutex_);
  // Another model may be where one was that is gone.
  std::erase_if(known_, [](const Known& k) { return k.life.expired(); });
  const auto found = std::ranges::find(known_, &model, &Known::model);
  if (found != known_.end()) {
    known_.splice(known_.begin(), known_, found);
    return known_.front().tokenizer;
  }
  LLMA_ASSIGN(std::unique_ptr<Tokenizer> made,
              Tokenizer::Create(model.tokens(), model.tokenizer()));
  known_.push_front({model.life(), &model, std::move(made)});
  if (known_.size() > kMaxTokenizers) known_.pop_back();
  return known_.front().tokenizer;
}

}  // namespace llma
