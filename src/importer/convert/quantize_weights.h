// SPDX-License-Identifier: Apache-2.0
// Float rows to int8 with a scale per group of 64 columns, in the panels of
// numerics/linear_weights.h. IEEE operations only: the same on every machine.
#ifndef LLMA_IMPORTER_CONVERT_QUANTIZE_WEIGHTS_H_
#define LLMA_IMPORTER_CONVERT_QUANTIZE_WEIGHTS_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/status.h"
#include "numerics/linear_weights.h"

namespace llma {

// Quantises a group of kGroupSize weights and returns its scale:
//   scale = max |w| / 127; q = w / scale, rounded to nearest even, in
//   [-127, 127]; all zero if the scale is (max |w| may be as small as 2^-149,
//   then the quotient underflows).
// NaN if a weight is not finite.
float QuantizeGroup(std::span<const float> weights, std::span<int8_t> values);

// A matrix under construction.
class PackedMatrix {
 public:
  // num_cols: a multiple of kGroupSize. All zero at first.
  PackedMatrix(uint32_t num_rows, uint32_t num_cols);
  // row: [num_cols]. kCorrupt if a weight is not finite, kUnsupported if it is
  // too large for the bounds of the model file.
  Status SetRow(uint32_t row_idx, std::span<const float> row);
  const LinearWeights& view() const { return view_; }

 private:
  std::vector<int8_t> values_;
  std::vector<float> scales_;
  LinearWeights view_;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_QUANTIZE_WEIGHTS_H_
