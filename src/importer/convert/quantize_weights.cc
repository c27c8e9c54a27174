// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/quantize_weights.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

#include "base/vector_size.h"
#include "model/model_header.h"

namespace llma {
namespace {

// For |x| < 2^22, x + kRounder has an ulp of 1, so the sum is rounded to an
// integer, ties to even; taking kRounder away again is exact.
constexpr float kRounder = 0x1.8p23f;

constexpr uint32_t kInfinityBits = 0x7f800000;

}  // namespace

float QuantizeGroup(std::span<const float> weights, std::span<int8_t> values) {
  // Absolute values order like their bit patterns; infinity and NaN are last.
  uint32_t max_bits = 0;
  for (const float w : weights) {
    max_bits = std::max(max_bits, std::bit_cast<uint32_t>(w) & 0x7fffffff);
  }
  if (max_bits >= kInfinityBits) return std::numeric_limits<float>::quiet_NaN();
  const float scale = std::bit_cast<float>(max_bits) / 127.0f;
  if (scale == 0) {
    std::fill(values.begin(), values.end(), int8_t{0});
    return 0;
  }
  for (size_t i = 0; i < weights.size(); ++i) {
    const float q = std::clamp(weights[i] / scale, -127.0f, 127.0f);
    values[i] = static_cast<int8_t>((q + kRounder) - kRounder);
  }
  return scale;
}

PackedMatrix::PackedMatrix(uint32_t num_rows, uint32_t num_cols) {
  view_.num_rows = num_rows;
  view_.num_cols = num_cols;
  values_.resize(VectorSize<int8_t>(view_.values_bytes()));
  scales_.resize(VectorSize<float>(view_.num_scales()));
  view_.values = values_.data();
  view_.scales = scales_.data();
}

Status PackedMatrix::SetRow(uint32_t row_idx, std::span<const float> row) {
  LLMA_ENSURE(row_idx < view_.num_rows && row.size() == view_.num_cols);
  int8_t group_values[kGroupSize];
  for (uint32_t group = 0; group < view_.num_groups(); ++group) {
    const uint32_t first_col = group * kGroupSize;
    const float scale =
        QuantizeGroup(row.subspan(first_col, kGroupSize), group_values);
    if (!(scale <= kMaxScale)) {
      if (scale > kMaxScale) {
        return Error{ErrorCode::kUnsupported, "a weight is too large"};
      }
      return Error{ErrorCode::kCorrupt, "a weight is not a finite number"};
    }
    scales_[view_.scale_idx(row_idx, group)] = scale;
    for (uint32_t i = 0; i < kGroupSize; i += kPanelCols) {
      std::memcpy(&values_[view_.value_idx(row_idx, first_col + i)],
                  group_values + i, kPanelCols);
    }
  }
  return OkStatus();
}

}  // namespace llma
