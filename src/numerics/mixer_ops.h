// SPDX-License-Identifier: Apache-2.0
// The inner loops of the context models' mixers (docs/CONTEXT_MODELS.md), in
// integers: dot products of inputs and weights, and how weights learn.
// Definitions; kernels/ has faster ones that equal them bit for bit.
#ifndef LLMA_NUMERICS_MIXER_OPS_H_
#define LLMA_NUMERICS_MIXER_OPS_H_

#include <cstddef>
#include <cstdint>

namespace llma {

// Inputs come in blocks of 16. Input i of a block has its weight at
// MixerWeightIndex(i): the order in which 128-bit halves of an AVX2 register
// widen from 16 to 32 bits.
inline constexpr int kMixerBlock = 16;
inline constexpr int MixerWeightIndex(int i) {
  return (i & ~15) | (i & 3) | (i & 4) << 1 | (i & 8) >> 1;
}

// Weights are Q28: 1 is 2^28, the range is about [-8, 8].
inline constexpr int32_t kMixerWeightOne = int32_t{1} << 28;
inline constexpr int32_t kMaxMixerWeight = INT32_MAX - (int32_t{1} << 27);

// At most this many inputs, each at most 2^12 in magnitude.
inline constexpr int kMaxMixerInputs = 1024;

// A wide mixer's inputs come in blocks of 8; |weight| <= 64, Q24.
inline constexpr size_t kWideMixerBlock = 8;
inline constexpr int32_t kMaxWideMixerWeight = int32_t{1} << 30;

// A light mixer's weights are the sums of one in each of five rows.
inline constexpr int kLightMixerInputs = 16;
inline constexpr int kLightMixerRows = 5;
// Of one row; the sum of all stays within int32_t.
inline constexpr int32_t kMaxLightMixerWeight =
    kMaxMixerWeight / kLightMixerRows;

namespace reference {

// For each row, the sum over pairs (x[2j] w[2j] + x[2j+1] w[2j+1]) >> 6 where w
// is the weight's upper half: Q12. One pair is below 2 * 2^12 * 2^15 = 2^28,
// after the shift 2^22, and 512 pairs at most: the sum stays below 2^31.
//   x: [n], n a multiple of 16, shared by all rows
//   rows: [num_rows], each with n weights; no two overlap
//   sums: [num_rows]
void MixerDot(const int16_t* x, int n, const int32_t* const* rows, int num_rows,
              int32_t* sums);

// For each row, w += x * error, then clamped to [-kMaxMixerWeight,
// kMaxMixerWeight]. |x * error| <= 2^12 * 2^15 = 2^27, so the addition cannot
// overflow.
//   errors: [num_rows], in [-32767, 32767]
void MixerTrain(const int16_t* x, int n, int32_t* const* rows, int num_rows,
                const int32_t* errors);

// The sum of x * w.
//   x, w: [n], n a multiple of 8 and at most 2^12; |x| < 2^21
int64_t WideMixerDot(const int32_t* x, const int32_t* w, size_t n);

// w += x * factor / 2^32, rounded down, then clamped to [-kMaxWideMixerWeight,
// kMaxWideMixerWeight]. |factor| <= 2^40, so what is added is below 2^29.
void WideMixerTrain(const int32_t* x, int64_t factor, int32_t* w, size_t n);

// The sum over pairs (x[2j] w[2j] + x[2j+1] w[2j+1]) >> 6, where w is the upper
// half of the sum of the rows: Q14.
//   x: [16], each at most 2^12 in magnitude
//   rows: [5], no two the same, each with 16 weights in the order of
//     MixerWeightIndex, Q28
// All are aligned to 32 bytes.
int32_t LightMixerDot(const int16_t* x, const int32_t* const* rows);

// In all rows w += x * error, then clamped to [-kMaxLightMixerWeight,
// kMaxLightMixerWeight]. error: [-32767, 32767], so that the sum cannot
// overflow.
void LightMixerTrain(const int16_t* x, int32_t error, int32_t* const* rows);

}  // namespace reference
}  // namespace llma

#endif  // LLMA_NUMERICS_MIXER_OPS_H_
