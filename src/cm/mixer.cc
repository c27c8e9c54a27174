// SPDX-License-Identifier: Apache-2.0
#include "cm/mixer.h"

#include <algorithm>

namespace llma::cm {

MixerLayer::MixerLayer(int num_inputs, std::span<const uint32_t> set_sizes,
                       int32_t initial_weight, LearningRate rate,
                       const KernelTable& kernels, PageSource pages)
    : num_inputs_(static_cast<size_t>(num_inputs)),
      stride_((num_inputs_ + kMixerBlock - 1) / kMixerBlock * kMixerBlock),
      kernels_(kernels),
      rows_(set_sizes.size()),
      mixed_q12_(set_sizes.size()),
      errors_(set_sizes.size()),
      inputs_(stride_),
      initial_(stride_, initial_weight),
      uses_(std::accumulate(set_sizes.begin(), set_sizes.end(), size_t{0})),
      weights_(uses_.size() * stride_, pages) {
  uint32_t first_row = 0;
  for (const uint32_t size : set_sizes) {
    sets_.push_back(
        {.first_row = first_row, .row = first_row, .p24 = kProbOne / 2});
    first_row += size;
  }
  const uint32_t settled_uses =
      std::min(rate.first_q16 * 16 / rate.last_q16 + 1, uint32_t{UINT16_MAX});
  for (uint32_t uses = 0; uses < settled_uses; ++uses) {
    rates_.push_back(
        std::max(rate.last_q16, rate.first_q16 * 16 / (16 + uses)));
  }
  rates_.push_back(rate.last_q16);
}

void MixerLayer::StartRow(size_t set) {
  const int32_t* start = set == 0 ? initial_.data() : rows_[0];
  std::copy_n(start, stride_, rows_[set]);
}

std::span<const int32_t> MixerLayer::Mix() {
  const size_t num_sets = sets_.size();
  for (size_t i = 0; i < num_sets; ++i) {
    rows_[i] = &weights_[sets_[i].row * stride_];
    if (uses_[sets_[i].row] == 0) StartRow(i);
  }
  kernels_.mixer_dot(inputs_.data(), static_cast<int>(stride_), rows_.data(),
                     static_cast<int>(num_sets), mixed_q12_.data());
  for (size_t i = 0; i < num_sets; ++i) {
    // x Q8 times w Q12, less the kernel's 6 bits: Q14.
    const int32_t x_q12 =
        std::clamp(mixed_q12_[i] >> 2, -kMaxStretchQ12, kMaxStretchQ12);
    mixed_q12_[i] = x_q12;
    sets_[i].p24 = SquashQ12(x_q12);
  }
  return mixed_q12_;
}

void MixerLayer::Update(int bit) {
  const int32_t target = bit != 0 ? int32_t{kProbOne} : 0;
  const auto last_use = static_cast<uint16_t>(rates_.size() - 1);
  for (size_t i = 0; i < sets_.size(); ++i) {
    uint16_t& uses = uses_[sets_[i].row];
    const int64_t rate = rates_[uses];
    uses = static_cast<uint16_t>(uses + (uses < last_use ? 1 : 0));
    // Natural units: w += x * (bit - p) * rate. x is Q8, w is Q28, so the
    // factor of x is the error in Q20: Q24 times Q16, less 20.
    const int64_t error = target - static_cast<int32_t>(sets_[i].p24);
    const int64_t factor = (error * rate + (1 << 19)) >> 20;
    errors_[i] = static_cast<int32_t>(
        std::clamp<int64_t>(factor, -INT16_MAX, INT16_MAX));
  }
  kernels_.mixer_train(inputs_.data(), static_cast<int>(stride_), rows_.data(),
                       static_cast<int>(sets_.size()), errors_.data());
}

}  // namespace llma::cm
