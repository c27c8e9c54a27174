// SPDX-License-Identifier: Apache-2.0
// The inner loops of mixers: dot products and update; for MixerLayer of all
// weight sets in one call, for WideMixer of one row. The scalar ones are the
// definition; the others are faster and must equal it bit for bit.
#ifndef LLMA_CM_MIXER_KERNELS_H_
#define LLMA_CM_MIXER_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace llma::cm {

// Inputs come in blocks of 16. Input i of a block has its weight at place
// WeightPlace(i): the order in which 128-bit halves of an AVX2 register widen
// from 16 to 32 bits.
inline constexpr int kMixerBlock = 16;
inline constexpr int WeightPlace(int i) {
  return (i & ~15) | (i & 3) | (i & 4) << 1 | (i & 8) >> 1;
}

// Weights are Q28: 1 is 2^28, the range is about [-8, 8].
inline constexpr int32_t kWeightOne = int32_t{1} << 28;
inline constexpr int32_t kMaxWeight = INT32_MAX - (int32_t{1} << 27);

// At most this many inputs, each at most 2^12 in magnitude.
inline constexpr int kMaxMixerInputs = 1024;

// A wide mixer's inputs come in blocks of 8; |weight| <= 64, Q24.
inline constexpr size_t kWideMixerBlock = 8;
inline constexpr int32_t kMaxWideWeight = int32_t{1} << 30;

// x: [n], n a multiple of 16, shared by all rows. rows: [num_rows], each with
// n weights; no two overlap.
struct MixerKernels {
  const char* name;

  // For each row, the sum over pairs (x[2j] w[2j] + x[2j+1] w[2j+1]) >> 6
  // where w is the weight's upper half: Q12. One pair is below
  // 2 * 2^12 * 2^15 = 2^28, after the shift 2^22, and 512 pairs at most: the
  // sum stays below 2^31. sums: [num_rows].
  void (*dot)(const int16_t* x, int n, const int32_t* const* rows, int num_rows,
              int32_t* sums);

  // For each row, w += x * error, then clamped to [-kMaxWeight, kMaxWeight].
  // |x * error| <= 2^12 * 2^15 = 2^27, so the addition cannot overflow.
  // errors: [num_rows], in [-32767, 32767].
  void (*train)(const int16_t* x, int n, int32_t* const* rows, int num_rows,
                const int32_t* errors);

  // Of WideMixer. x, w: [n], n a multiple of 8 and at most 2^12. |x| < 2^21.
  // The sum of x * w.
  int64_t (*wide_dot)(const int32_t* x, const int32_t* w, size_t n);
  // w += x * factor / 2^32, rounded down, then clamped to
  // [-kMaxWideWeight, kMaxWideWeight]. |factor| <= 2^40, so what is added is
  // below 2^29.
  void (*wide_train)(const int32_t* x, int64_t factor, int32_t* w, size_t n);
};

// The definition.
extern const MixerKernels kScalarMixerKernels;

// Those compiled in, whether or not this processor can run them; null if none.
const MixerKernels* Avx2MixerKernels();  // checks the processor

// The fastest that this processor can run.
const MixerKernels& BestMixerKernels();

}  // namespace llma::cm

#endif  // LLMA_CM_MIXER_KERNELS_H_
