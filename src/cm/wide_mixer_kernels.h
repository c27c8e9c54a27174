// SPDX-License-Identifier: Apache-2.0
// The two inner loops of a wide mixer, for one row of weights. The scalar pair
// is the definition; the others are faster and must equal it bit for bit.
#ifndef LLMA_CM_WIDE_MIXER_KERNELS_H_
#define LLMA_CM_WIDE_MIXER_KERNELS_H_

#include <cstddef>
#include <cstdint>

namespace llma::cm {

// Inputs come in blocks of 8.
inline constexpr size_t kWideMixerBlock = 8;

// |weight| <= 64, Q24.
inline constexpr int32_t kMaxWideWeight = int32_t{1} << 30;

// x, w: [n], n a multiple of 8 and at most 2^12. |x| < 2^21.
struct WideMixerKernels {
  const char* name;

  // The sum of x * w.
  int64_t (*dot)(const int32_t* x, const int32_t* w, size_t n);

  // w += x * factor / 2^32, rounded down, then clamped to
  // [-kMaxWideWeight, kMaxWideWeight]. |factor| <= 2^40, so what is added is
  // below 2^29.
  void (*train)(const int32_t* x, int64_t factor, int32_t* w, size_t n);
};

// The definition.
extern const WideMixerKernels kScalarWideMixerKernels;

// Null where they are not compiled in or this processor cannot run them.
const WideMixerKernels* Avx2WideMixerKernels();

// The fastest that this processor can run.
const WideMixerKernels& BestWideMixerKernels();

}  // namespace llma::cm

#endif  // LLMA_CM_WIDE_MIXER_KERNELS_H_
