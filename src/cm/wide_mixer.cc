// SPDX-License-Identifier: Apache-2.0
#include "cm/wide_mixer.h"

#include <algorithm>

#include "base/status.h"
#include "cm/wide_logistic.h"

namespace llma::cm {
namespace {

// |weight| <= 64.
constexpr int64_t kMaxWeightQ24 = int64_t{1} << 30;

}  // namespace

WideMixer::WideMixer(std::span<const uint32_t> set_sizes,
                     std::span<const int32_t> start, LearningRate rate)
    : rate_(rate), inputs_(start.size()) {
  uint32_t num_rows = 0;
  for (const uint32_t size : set_sizes) {
    sets_.push_back({.size = size, .first_row = num_rows, .row = num_rows});
    num_rows += size;
  }
  uses_.resize(num_rows);
  weights_.reserve(num_rows * start.size());
  for (uint32_t row = 0; row < num_rows; ++row) {
    weights_.insert(weights_.end(), start.begin(), start.end());
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
      std::copy_n(&weights_[sets_[0].row * n], n, &weights_[set.row * n]);
    }
    // An input is below 2^21, a weight at most 2^30: 2^12 inputs would fit.
    const int32_t* weights = &weights_[set.row * n];
    int64_t dot = 0;
    for (size_t i = 0; i < n; ++i) dot += int64_t{inputs_[i]} * weights[i];
    set.output = static_cast<int32_t>(
        std::clamp<int64_t>(dot >> 24, -kMaxStretchQ16, kMaxStretchQ16));
    set.p24 = SquashQ16(set.output);
    sum += set.output;
  }
  return static_cast<int32_t>(sum / static_cast<int64_t>(sets_.size()));
}

void WideMixer::Update(int bit) {
  const size_t n = inputs_.size();
  for (WeightSet& set : sets_) {
    uint16_t& uses = uses_[set.row];
    const int64_t rate =
        std::max(rate_.last_q16, rate_.first_q16 * 16 / (16u + uses));
    if (uses < UINT16_MAX) ++uses;
    // Natural units: w += x * (bit - p) * rate. The error is Q24, the rate
    // Q16, x Q16 and w Q24, so 32 bits go. |error * rate| <= 2^40, |x| < 2^21.
    const int64_t error =
        (bit != 0 ? int64_t{kProbOne} : 0) - static_cast<int64_t>(set.p24);
    const int64_t factor = error * rate;
    int32_t* weights = &weights_[set.row * n];
    for (size_t i = 0; i < n; ++i) {
      weights[i] = static_cast<int32_t>(
          std::clamp(weights[i] + ((factor * inputs_[i]) >> 32), -kMaxWeightQ24,
                     kMaxWeightQ24));
    }
  }
}

}  // namespace llma::cm
