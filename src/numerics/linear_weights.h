// SPDX-License-Identifier: Apache-2.0
// A quantised matrix as kernels read it, straight from the mapped model file.
#ifndef LLMA_NUMERICS_LINEAR_WEIGHTS_H_
#define LLMA_NUMERICS_LINEAR_WEIGHTS_H_

#include <cstddef>
#include <cstdint>

namespace llma {

inline constexpr uint32_t kPanelRows = 16;  // rows that share a panel
inline constexpr uint32_t kPanelCols = 4;   // consecutive columns of one row
inline constexpr uint32_t kGroupSize = 64;  // columns that share a scale

// W: [num_rows, num_cols] int8 in [-127, 127] with a scale per row and group.
//   values: [num_panels, num_cols / 4, 16 rows, 4 cols] int8
//   scales: [num_panels, num_groups, 16 rows] float, finite, >= 0
// num_cols is a multiple of 64; num_rows is padded to whole panels with zero
// values and zero scales. Both arrays are 64-byte aligned.
struct LinearWeights {
  const int8_t* values = nullptr;
  const float* scales = nullptr;
  uint32_t num_rows = 0;
  uint32_t num_cols = 0;

  uint32_t num_panels() const {
    return (num_rows + kPanelRows - 1) / kPanelRows;
  }
  uint32_t num_groups() const { return num_cols / kGroupSize; }
  // 64 bits also where addresses have 32: of a shape that no memory has room
  // for.
  uint64_t values_bytes() const {
    return uint64_t{num_panels()} * kPanelRows * num_cols;
  }
  uint64_t num_scales() const {
    return uint64_t{num_panels()} * kPanelRows * num_groups();
  }
  // Index of W[row, col] in `values`.
  size_t value_idx(uint32_t row, uint32_t col) const {
    return size_t{row / kPanelRows} * kPanelRows * num_cols +
           size_t{col / kPanelCols} * kPanelRows * kPanelCols +
           row % kPanelRows * kPanelCols + col % kPanelCols;
  }
  // Index of the scale of W[row, group * 64 ...] in `scales`.
  size_t scale_idx(uint32_t row, uint32_t group) const {
    return (size_t{row / kPanelRows} * num_groups() + group) * kPanelRows +
           row % kPanelRows;
  }
};

}  // namespace llma

#endif  // LLMA_NUMERICS_LINEAR_WEIGHTS_H_
