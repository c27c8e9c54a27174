// SPDX-License-Identifier: Apache-2.0
// A step of learning from tokens that were read (docs/NUMERICS.md, section 9).
// Attention counts as given: each token's gradient goes back through the
// feed-forward parts and the residual stream alone, so it needs nothing of
// other tokens, and what is kept of a token is a few rows.
#ifndef LLMA_MODEL_LEARNER_H_
#define LLMA_MODEL_LEARNER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/thread_pool.h"
#include "kernels/kernel_table.h"
#include "model/learned_weights.h"
#include "model/model.h"

namespace llma {

// What the forward pass keeps of tokens.
class TokenRecords {
 public:
  TokenRecords(const ModelConfig& config, uint32_t max_rows)
      : dim_(config.dim),
        q_dim_(config.q_dim()),
        max_rows_(max_rows),
        num_layers_(config.num_layers),
        middles_(size_t{max_rows} * num_layers_ * dim_),
        heads_(size_t{max_rows} * num_layers_ * q_dim_),
        head_scales_(heads_.size() / kGroupSize),
        head_starts_(heads_.size() / kGroupSize),
        ends_(size_t{max_rows} * dim_) {}
  static uint64_t SizeBytes(const ModelConfig& config, uint32_t max_rows) {
    const uint64_t layer = sizeof(float) * uint64_t{config.dim} +
                           config.q_dim() + config.q_dim() / kGroupSize * 8;
    return max_rows *
           (config.num_layers * layer + sizeof(float) * uint64_t{config.dim});
  }

  // The residual stream between the parts of a layer: [dim].
  float* middle(uint32_t layer, uint32_t row) {
    return middles_.data() + (size_t{layer} * max_rows_ + row) * dim_;
  }
  // What attention gave, as W_out takes it: one row of [q_dim].
  QuantizedRows heads(uint32_t layer, uint32_t row) const {
    const size_t at = (size_t{layer} * max_rows_ + row) * q_dim_;
    return {heads_.data() + at,
            head_scales_.data() + at / kGroupSize,
            head_starts_.data() + at / kGroupSize,
            1,
            q_dim_,
            q_dim_ / kGroupSize};
  }
  // From one row.
  void SetHeads(uint32_t layer, uint32_t row, const QuantizedRows& from);
  // The residual stream after the last layer: [dim].
  float* end(uint32_t row) { return ends_.data() + size_t{row} * dim_; }
  void CopyRow(TokenRecords& from, uint32_t from_row, uint32_t row);

 private:
  const uint32_t dim_, q_dim_, max_rows_, num_layers_;
  AlignedBuffer<float> middles_;  // [layer, row, dim]
  AlignedBuffer<int8_t> heads_;   // [layer, row, q_dim]
  AlignedBuffer<float> head_scales_;
  AlignedBuffer<int32_t> head_starts_;
  AlignedBuffer<float> ends_;  // [row, dim]
};

// Thread-compatible. Model, kernels and pool must outlive it.
class Learner {
 public:
  // The most rows of a step.
  static constexpr uint32_t kMaxRows = 256;

  Learner(const Model& model, const KernelTable& kernels, ThreadPool& pool);
  ~Learner();
  static uint64_t SizeBytes(const ModelConfig& config, int num_threads);

  LearnedWeights& weights() { return weights_; }
  // Row by row: what the forward pass kept.
  TokenRecords& records() { return records_; }
  // And what was predicted after it, weights of all tokens, [num_tokens], with
  // their sum; and the token that came. May be called for several rows at a
  // time, by different threads of the pool.
  void SetOutcome(uint32_t row, const uint32_t* weights, uint64_t sum,
                  uint32_t token, int thread_idx);
  // Learns from these rows, in this order.
  void Step(std::span<const uint32_t> rows);

 private:
  struct Scratch;
  // Rows that one thread takes through a layer.
  static constexpr uint32_t kPartRows = 32;

  // Without padding rows.
  LinearWeights Head() const;
  void SetGradients(std::span<const uint32_t> rows);
  void StepLayer(uint32_t layer, std::span<const uint32_t> rows);
  void BackThroughLayer(uint32_t layer, std::span<const uint32_t> rows,
                        uint32_t begin, uint32_t end, int thread_idx);
  void MoveLayer(uint32_t layer, uint32_t num_rows);
  void MoveNorm(size_t begin, uint32_t num_rows);

  const Model& model_;
  const ModelConfig& config_;
  const KernelTable& kernels_;
  const LearningKernels& learning_;
  ThreadPool& pool_;
  LearnedWeights weights_;
  AlignedBuffer<float> first_moments_, second_moments_;
  float first_decay_ = 1, second_decay_ = 1;
  uint32_t num_steps_ = 0;
  AdamStep matrix_step_{}, norm_step_{};

  TokenRecords records_;
  const uint32_t padded_tokens_;  // to whole groups
  // Probabilities times the largest scales of the head's rows, quantised:
  // [row, padded_tokens_].
  AlignedBuffer<int8_t> shares_;
  AlignedBuffer<float> share_scales_;
  AlignedBuffer<int32_t> share_starts_;
  std::vector<uint32_t> outcomes_;  // [row]: tokens
  AlignedBuffer<float> gradients_;  // [row, dim]: by what the head gets
  // Of a layer, [index in a step, ...]:
  AlignedBuffer<float> down_gradient_;  // [dim]: before the layer's end
  AlignedBuffer<float> stream_;         // [dim]: gradient of the stream
  AlignedBuffer<float> normed_;         // [dim]: h, as it was multiplied
  AlignedBuffer<float> gated_;          // [ffn_dim]
  AlignedBuffer<float> gate_up_;        // [2 ffn_dim]: gradients
  AlignedBuffer<float> mixed_;          // [q_dim]
  AlignedBuffer<float> out_gradient_;   // [dim]: of what W_out gave
  AlignedBuffer<float> norm_gradient_;  // [dim]
  // [kLearningRank]: a x and b dy of each matrix.
  AlignedBuffer<float> downs_[kNumLearnedMatrices], ups_[kNumLearnedMatrices];
  // W^T with one scale for each column, which is the largest of those that W's
  // row has.
  struct Transposed {
    // Room for a number of columns of w.
    Transposed(const LinearWeights& w, uint32_t cols);
    static uint64_t SizeBytes(uint64_t w_rows, uint64_t cols);
    void SetLargest(const LinearWeights& w);
    LinearWeights view() const {
      return {values.data(), ones.data(), num_cols, num_rows};
    }

    const uint32_t num_rows, num_cols;  // of w; rows: to whole groups
    AlignedBuffer<int8_t> values;
    AlignedBuffer<float> ones;     // the scales of values
    AlignedBuffer<float> largest;  // [num_rows]
  };
  // Takes the columns from first_col on; `largest` must be set.
  void Transpose(const LinearWeights& w, uint32_t first_col, Transposed& out);
  // dx = W^T dy for num_rows rows.
  void MultiplyTransposed(const Transposed& w, const float* dy,
                          uint32_t num_rows, float* dx, Scratch& scratch);
  Transposed gate_up_t_, down_t_, head_t_;
  std::vector<Scratch> scratch_;  // of each thread
};

}  // namespace llma

#endif  // LLMA_MODEL_LEARNER_H_
