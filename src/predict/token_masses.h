// SPDX-License-Identifier: Apache-2.0
// Integer weights over the byte-sorted vocabulary, with block sums, so that the
// mass of all tokens that start with some bytes is a short sum.
#ifndef LLMA_PREDICT_TOKEN_MASSES_H_
#define LLMA_PREDICT_TOKEN_MASSES_H_

#include <algorithm>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/status.h"
#include "kernels/kernel_table.h"

namespace llma {

// Thread-compatible; const functions too may load weights.
class TokenMasses {
 public:
  explicit TokenMasses(uint32_t num_tokens)
      : num_tokens_(num_tokens),
        weights_(num_tokens),
        block_sums_(NumBlocks(num_tokens)),
        sums_before_(NumBlocks(num_tokens) + 1) {}

  // What one takes.
  static uint64_t SizeBytes(uint32_t num_tokens) {
    return uint64_t{num_tokens} * sizeof(uint32_t) +
           2 * sizeof(uint64_t) * (NumBlocks(num_tokens) + 1);
  }

  uint32_t num_tokens() const { return num_tokens_; }

  // logits: [num_tokens]
  void Set(const KernelTable& kernels, const float* logits) {
    load_block_ = nullptr;
    kernels.token_weights(logits, num_tokens_, weights_.data(),
                          block_sums_.data());
    AddUp();
  }

  // Gives the weights of a block, kTokenBlock or as many as there are.
  using LoadBlock = std::function<void(uint32_t block, uint32_t* weights)>;
  // block_sums: [NumBlocks(num_tokens)]. Weights are loaded when they are asked
  // for, those of a block once.
  void Set(std::span<const uint64_t> block_sums, LoadBlock load_block) {
    load_block_ = std::move(load_block);
    is_loaded_.assign(block_sums.size(), 0);
    std::ranges::copy(block_sums, block_sums_.data());
    AddUp();
  }

  uint32_t weight(uint32_t token) const {
    Load(token / kTokenBlock);
    return weights_[token];
  }

  // All of them, where none is still to be loaded: [num_tokens].
  const uint32_t* weights() const {
    LLMA_DCHECK(load_block_ == nullptr);
    return weights_.data();
  }

  // The sum of the weights of tokens [begin, end). At most 2^20 tokens of at
  // most 2^30 + 1: below 2^51.
  uint64_t Mass(uint32_t begin, uint32_t end) const {
    return SumBefore(end) - SumBefore(begin);
  }

  static size_t NumBlocks(uint32_t num_tokens) {
    return (num_tokens + kTokenBlock - 1) / kTokenBlock;
  }

 private:
  void AddUp() {
    for (size_t b = 0; b < block_sums_.size(); ++b) {
      sums_before_[b + 1] = sums_before_[b] + block_sums_[b];
    }
  }
  void Load(uint32_t block) const {
    if (load_block_ == nullptr || is_loaded_[block] != 0) return;
    load_block_(block, weights_.data() + size_t{block} * kTokenBlock);
    is_loaded_[block] = 1;
  }
  uint64_t SumBefore(uint32_t token) const {
    const uint32_t block = token / kTokenBlock;
    uint64_t sum = sums_before_[block];
    if (token % kTokenBlock == 0) return sum;
    Load(block);
    for (uint32_t r = block * kTokenBlock; r < token; ++r) sum += weights_[r];
    return sum;
  }

  uint32_t num_tokens_;
  LoadBlock load_block_;                    // null: all weights are there
  mutable std::vector<uint8_t> is_loaded_;  // [block], if there is one
  mutable AlignedBuffer<uint32_t> weights_;
  AlignedBuffer<uint64_t> block_sums_;
  AlignedBuffer<uint64_t> sums_before_;  // [block]: of all earlier blocks
};

}  // namespace llma

#endif  // LLMA_PREDICT_TOKEN_MASSES_H_
