// SPDX-License-Identifier: Apache-2.0
// The inner loops of LightPredictor's mixer: 16 inputs, and for each a weight
// that is the sum of one in each of five rows. The scalar pair is the
// definition; the others are faster and must equal it bit for bit.
#ifndef LLMA_CM_LIGHT_KERNELS_H_
#define LLMA_CM_LIGHT_KERNELS_H_

#include <cstdint>

#include "cm/mixer_kernels.h"

namespace llma::cm {

inline constexpr int kLightInputs = 16;
inline constexpr int kLightRows = 5;
// Of one row; the sum of all stays within int32_t.
inline constexpr int32_t kMaxLightWeight = kMaxWeight / kLightRows;

// x: [16], each at most 2^12 in magnitude. rows: [5], no two the same, each
// with 16 weights in the order of WeightPlace, Q28. All are aligned to 32
// bytes.
struct LightKernels {
  const char* name;

  // The sum over pairs (x[2j] w[2j] + x[2j+1] w[2j+1]) >> 6, where w is the
  // upper half of the sum of the rows. Q14.
  int32_t (*dot)(const int16_t* x, const int32_t* const* rows);

  // In all rows w += x * error, then clamped to [-kMaxLightWeight,
  // kMaxLightWeight]. error: [-32767, 32767], so that the sum cannot overflow.
  void (*train)(const int16_t* x, int32_t error, int32_t* const* rows);
};

// The definition.
extern const LightKernels kScalarLightKernels;

// The fastest that this processor can run.
const LightKernels& BestLightKernels();

}  // namespace llma::cm

#endif  // LLMA_CM_LIGHT_KERNELS_H_
