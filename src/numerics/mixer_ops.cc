// SPDX-License-Identifier: Apache-2.0
#include "numerics/mixer_ops.h"

#include <algorithm>

namespace llma::reference {
namespace {

int32_t RowDot(const int16_t* x, const int32_t* w, int n) {
  int32_t sum = 0;
  for (int i = 0; i < n; i += 2) {
    const int index = MixerWeightIndex(i);
    sum += (x[i] * (w[index] >> 16) + x[i + 1] * (w[index + 1] >> 16)) >> 6;
  }
  return sum;
}

// The upper half of the sum of the weights at an index.
int32_t UpperSum(const int32_t* const* rows, int index) {
  int32_t sum = 0;
  for (int row = 0; row < kLightMixerRows; ++row) sum += rows[row][index];
  return sum >> 16;
}

}  // namespace

void MixerDot(const int16_t* x, int n, const int32_t* const* rows, int num_rows,
              int32_t* sums) {
  for (int row = 0; row < num_rows; ++row) sums[row] = RowDot(x, rows[row], n);
}

void MixerTrain(const int16_t* x, int n, int32_t* const* rows, int num_rows,
                const int32_t* errors) {
  for (int row = 0; row < num_rows; ++row) {
    for (int i = 0; i < n; ++i) {
      int32_t& weight = rows[row][MixerWeightIndex(i)];
      weight = std::clamp(weight + x[i] * errors[row], -kMaxMixerWeight,
                          kMaxMixerWeight);
    }
  }
}

int64_t WideMixerDot(const int32_t* x, const int32_t* w, size_t n) {
  int64_t sum = 0;
  for (size_t i = 0; i < n; ++i) sum += int64_t{x[i]} * w[i];
  return sum;
}

void WideMixerTrain(const int32_t* x, int64_t factor, int32_t* w, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    w[i] = static_cast<int32_t>(
        std::clamp<int64_t>(w[i] + ((factor * x[i]) >> 32),
                            -kMaxWideMixerWeight, kMaxWideMixerWeight));
  }
}

int32_t LightMixerDot(const int16_t* x, const int32_t* const* rows) {
  int32_t sum = 0;
  for (int i = 0; i < kLightMixerInputs; i += 2) {
    const int32_t even = UpperSum(rows, MixerWeightIndex(i));
    const int32_t odd = UpperSum(rows, MixerWeightIndex(i + 1));
    sum += (x[i] * even + x[i + 1] * odd) >> 6;
  }
  return sum;
}

void LightMixerTrain(const int16_t* x, int32_t error, int32_t* const* rows) {
  for (int row = 0; row < kLightMixerRows; ++row) {
    for (int i = 0; i < kLightMixerInputs; ++i) {
      int32_t& weight = rows[row][MixerWeightIndex(i)];
      weight = std::clamp(weight + x[i] * error, -kMaxLightMixerWeight,
                          kMaxLightMixerWeight);
    }
  }
}

}  // namespace llma::reference
