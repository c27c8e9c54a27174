// SPDX-License-Identifier: Apache-2.0
// What a model that learns while it reads has learnt so far (docs/NUMERICS.md,
// section 9): low-rank updates of three matrices a layer, and norms.
#ifndef LLMA_MODEL_LEARNED_WEIGHTS_H_
#define LLMA_MODEL_LEARNED_WEIGHTS_H_

#include <cstdint>
#include <span>

#include "base/aligned_buffer.h"
#include "model/model.h"
#include "numerics/learning_ops.h"

namespace llma {

// W x becomes W x + b^T (a x).
//   a: [kLearningRank, cols]; b: [kLearningRank, rows]
struct LowRank {
  float* a = nullptr;
  float* b = nullptr;
};

// The matrices of a layer that have updates.
enum class LearnedMatrix : uint8_t { kAttentionOut, kGateUp, kDown };
inline constexpr uint32_t kNumLearnedMatrices = 3;

// Where the weights of a layer, or the norm after the last, lie in an array of
// all of them; so do moments and gradients.
class LearnedShape {
 public:
  explicit LearnedShape(const ModelConfig& config);

  struct Size {
    uint32_t rows, cols;
  };
  Size size(LearnedMatrix matrix) const {
    return sizes_[static_cast<size_t>(matrix)];
  }
  // Within a layer's weights.
  size_t a_begin(LearnedMatrix matrix) const;
  size_t b_begin(LearnedMatrix matrix) const {
    return a_begin(matrix) + size_t{kLearningRank} * size(matrix).cols;
  }
  size_t norm_begin() const { return layer_size_ - dim_; }
  size_t layer_size() const { return layer_size_; }
  size_t layer_begin(uint32_t layer) const { return layer * layer_size_; }
  // The norm after the last layer comes last.
  size_t output_norm_begin() const { return num_layers_ * layer_size_; }
  size_t total_size() const { return output_norm_begin() + dim_; }

 private:
  Size sizes_[kNumLearnedMatrices];
  uint32_t num_layers_, dim_;
  size_t layer_size_;
};

// Thread-safe while nobody changes it.
class LearnedWeights {
 public:
  // At the start updates change nothing.
  explicit LearnedWeights(const Model& model);

  const LearnedShape& shape() const { return shape_; }
  LowRank update(uint32_t layer, LearnedMatrix matrix) {
    float* weights = this->layer(layer);
    return {weights + shape_.a_begin(matrix), weights + shape_.b_begin(matrix)};
  }
  std::span<const float> ffn_norm(uint32_t layer) {
    return {this->layer(layer) + shape_.norm_begin(), dim_};
  }
  std::span<const float> output_norm() {
    return {weights_.data() + shape_.output_norm_begin(), dim_};
  }
  float* layer(uint32_t layer) {
    return weights_.data() + shape_.layer_begin(layer);
  }
  float* data() { return weights_.data(); }

 private:
  const LearnedShape shape_;
  const uint32_t dim_;
  AlignedBuffer<float> weights_;
};

}  // namespace llma

#endif  // LLMA_MODEL_LEARNED_WEIGHTS_H_
