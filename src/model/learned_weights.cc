// SPDX-License-Identifier: Apache-2.0
#include "model/learned_weights.h"

#include <algorithm>
#include <cmath>

namespace llma {
namespace {

// SplitMix64 (Steele, Lea and Flood 2014).
uint64_t Next(uint64_t& state) {
  uint64_t z = state += 0x9e3779b97f4a7c15;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
  z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
  return z ^ (z >> 31);
}

}  // namespace

LearnedShape::LearnedShape(const ModelConfig& config)
    : sizes_{{config.dim, config.q_dim()},
             {2 * config.ffn_dim, config.dim},
             {config.dim, config.ffn_dim}},
      num_layers_(config.num_layers),
      dim_(config.dim),
      layer_size_(config.dim) {
  for (const Size& size : sizes_) {
    layer_size_ += size_t{kLearningRank} * (size.rows + size.cols);
  }
}

size_t LearnedShape::a_begin(LearnedMatrix matrix) const {
  size_t begin = 0;
  for (size_t i = 0; i < static_cast<size_t>(matrix); ++i) {
    begin += size_t{kLearningRank} * (sizes_[i].rows + sizes_[i].cols);
  }
  return begin;
}

LearnedWeights::LearnedWeights(const Model& model)
    : shape_(model.config()),
      dim_(model.config().dim),
      weights_(shape_.total_size()) {
  uint64_t state = 1;
  for (uint32_t i = 0; i < model.config().num_layers; ++i) {
    for (uint32_t m = 0; m < kNumLearnedMatrices; ++m) {
      const auto matrix = static_cast<LearnedMatrix>(m);
      const uint32_t cols = shape_.size(matrix).cols;
      // Uniform, so that the variance is 1 / cols.
      const float limit = std::sqrt(3.0f / static_cast<float>(cols));
      float* a = update(i, matrix).a;
      for (size_t k = 0; k < size_t{kLearningRank} * cols; ++k) {
        const auto random = static_cast<int32_t>(Next(state) >> 40) - (1 << 23);
        a[k] = (static_cast<float>(random) * 0x1p-23f) * limit;
      }
    }
    std::ranges::copy(model.layer(i).ffn_norm, layer(i) + shape_.norm_begin());
  }
  std::ranges::copy(model.output_norm(),
                    weights_.data() + shape_.output_norm_begin());
}

}  // namespace llma
