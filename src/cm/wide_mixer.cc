// SPDX-License-Identifier: Apache-2.0
#include "cm/wide_mixer.h"

#include <algorithm>

#include "base/status.h"
#include "cm/wide_logistic.h"

namespace llma::cm {
WideMixer::WideMixer(std::span<const uint32_t> set_sizes,
                     std::span<const int32_t> start, LearningRate rate,
                     const KernelTable& kernels)
    : rate_(rate),
      kernels_(kernels),
      num_inputs_(start.size()),
      inputs_((start.size() + kWideMixerBlock - 1) / kWideMixerBlock *
              kWideMixerBlock) {
  uint32_t num_rows = 0;
  for (const uint32_t size : set_sizes) {
    sets_.push_back({.size = size, .first_row = num_rows, .row = num_rows});
    num_rows += size;
  }
  uses_.resize(num_rows);
  weights_.resize(num_rows * inputs_.size());
  for (uint32_t row = 0; row < num_rows; ++row) {
    std::ranges::copy(start, RowAt(row));
  }
}

void WideMixer::Select(size_t set, uint32_t context) {
  LLMA_DCHECK(context < sets_[set].size);
  sets_[set].row = sets_[set].first_row + context;
}

int32_t WideMixer::Mix() {
  const size_t n = inputs_.size();
  int64_t sum = 0;
  for (WeightSet& set : sets_) {
    if (uses_[set.row] == 0 && set.first_row != 0) {
      std::copy_n(RowAt(sets_[0].row), n, RowAt(set.row));
    }
    // An input is below 2^21, a weight at most 2^30: 2^12 inputs would fit.
    const int64_t dot =
        kernels_.wide_mixer_dot(inputs_.data(), RowAt(set.row), n);
    set.output = static_cast<int32_t>(
        std::clamp<int64_t>(dot >> 24, -kMaxStretchQ16, kMaxStretchQ16));
    set.p24 = SquashQ16(set.output);
    sum += set.output;
  }
  return static_cast<int32_t>(sum / static_cast<int64_t>(sets_.size()));
}

void WideMixer::Update(int bit) {
  for (WeightSet& set : sets_) {
    uint16_t& uses = uses_[set.row];
    const int64_t rate =
        std::max(rate_.last_q16, rate_.first_q16 * 16 / (16u + uses));
    if (uses < UINT16_MAX) ++uses;
    // Natural units: w += x * (bit - p) * rate. The error is Q24, the rate
    // Q16, x Q16 and w Q24, so 32 bits go. |error * rate| <= 2^40, |x| < 2^21.
    const int64_t error =
        (bit != 0 ? int64_t{kProbOne} : 0) - static_cast<int64_t>(set.p24);
    kernels_.wide_mixer_train(inputs_.data(), error * rate, RowAt(set.row),
                              inputs_.size());
  }
}

}  // namespace llma::cm
