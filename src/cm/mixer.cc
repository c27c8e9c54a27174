// SPDX-License-Identifier: Apache-2.0
#include "cm/mixer.h"

#include <algorithm>

namespace llma::cm {

MixerLayer::MixerLayer(int num_inputs, std::span<const uint32_t> set_sizes,
                       int32_t initial_weight, LearningRate rate,
                       const MixerKernels& kernels)
    : num_inputs_(static_cast<size_t>(num_inputs)),
      stride_((num_inputs_ + kMixerBlock - 1) / kMixerBlock * kMixerBlock),
      rate_(rate),
      settled_uses_(std::min(rate.first_q16 * 16 / rate.last_q16 + 1,
                             uint32_t{UINT16_MAX})),
      kernels_(kernels),
      inputs_(stride_),
      initial_(stride_, initial_weight),
      uses_(std::accumulate(set_sizes.begin(), set_sizes.end(), size_t{0})),
      weights_(uses_.size() * stride_) {
  uint32_t first_row = 0;
  for (const uint32_t size : set_sizes) {
    sets_.push_back({.first_row = first_row, .row = 0, .p24 = kProbOne / 2});
    first_row += size;
  }
}

int MixerLayer::MixQ12(int set) {
  WeightSet& s = sets_[static_cast<size_t>(set)];
  const size_t row = s.first_row + s.row;
  int32_t* weights = &weights_[row * stride_];
  if (uses_[row] == 0) {
    const int32_t* start =
        set == 0 ? initial_.data() : &weights_[sets_[0].row * stride_];
    std::copy_n(start, stride_, weights);
  }
  // x Q8 times w Q12, less the kernel's 6 bits: Q14.
  const int32_t dot =
      kernels_.dot(inputs_.data(), weights, static_cast<int>(stride_)) >> 2;
  const int x_q12 = std::clamp(dot, -kMaxStretchQ12, kMaxStretchQ12);
  s.p24 = SquashQ12(x_q12);
  return x_q12;
}

void MixerLayer::Update(int bit) {
  for (WeightSet& s : sets_) {
    const uint32_t row = s.first_row + s.row;
    uint32_t rate = rate_.last_q16;
    if (uses_[row] < settled_uses_) {
      rate = std::max(rate, rate_.first_q16 * 16 / (16u + uses_[row]));
      ++uses_[row];
    }
    // Natural units: w += x * (bit - p) * rate. x is Q8, w is Q28, so the
    // factor of x is the error in Q20: Q24 times Q16, less 20.
    const int64_t error =
        (bit != 0 ? int64_t{kProbOne} : 0) - static_cast<int64_t>(s.p24);
    const int64_t factor =
        (error * static_cast<int64_t>(rate) + (1 << 19)) >> 20;
    if (factor == 0) continue;
    const auto clamped = static_cast<int32_t>(
        std::clamp<int64_t>(factor, -INT16_MAX, INT16_MAX));
    kernels_.train(inputs_.data(), &weights_[row * stride_],
                   static_cast<int>(stride_), clamped);
  }
}

}  // namespace llma::cm
