// SPDX-License-Identifier: Apache-2.0
// What the int8 products of AVX-512 VNNI share.
#ifndef LLMA_KERNELS_AVX512VNNI_TILE_H_
#define LLMA_KERNELS_AVX512VNNI_TILE_H_

#if defined(__x86_64__)
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "kernels/avx512_intrinsics.h"
#include "kernels/target_region.h"
#include "numerics/reference_ops.h"

LLMA_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

namespace llma::kernels::avx512vnni {

void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride);

void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t stride);
void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo);

inline __m512i BroadcastQuad(const void* four_bytes) {
  int32_t quad;
  std::memcpy(&quad, four_bytes, 4);
  return _mm512_set1_epi32(quad);
}

// Keeps GCC from moving sums between registers inside the loop, which costs it
// a tenth of the speed.
inline void KeepInPlace(__m512i& sum) { __asm__("" : "+v"(sum)); }

inline constexpr uint32_t kMaxTileRows = 8;

// dots = 2^kShift * dots + the integer dot products of kRows rows of x with
// 16 * kPanels rows of W over `num_quads` groups of four columns; kShift 0:
// dots counts as zero. Weights are made unsigned by adding 128, which the start
// values take back.
//   x: the rows, x_stride bytes apart, at the first column
//   x_starts: those of the rows, starts_stride apart
//   w: the panels, w_stride bytes apart, at the first column
//   ahead: what the second cache should read meanwhile, 64 bytes for each 64
//     bytes of w, divided by 2^ahead_shift
template <int kRows, int kPanels, int kShift = 0>
[[gnu::always_inline]] inline void DotTile(
    const int8_t* x, size_t x_stride, const int32_t* x_starts,
    size_t starts_stride, const int8_t* w, size_t w_stride, const int8_t* ahead,
    int ahead_shift, uint32_t num_quads, __m512i (&dots)[kRows][kPanels]) {
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    const __m512i start_lanes = BroadcastQuad(x_starts + r * starts_stride);
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      if constexpr (kShift == 0) {
        dots[r][p] = start_lanes;
      } else {
        dots[r][p] = _mm512_add_epi32(_mm512_slli_epi32(dots[r][p], kShift),
                                      start_lanes);
      }
    }
  }
  const __m512i flip = _mm512_set1_epi8(-128);
  for (uint32_t k = 0; k < num_quads; ++k) {
    __m512i weights[kPanels];
    LLMA_UNROLL
    for (int p = 0; p < kPanels; ++p) {
      _mm_prefetch(reinterpret_cast<const char*>(
                       ahead + ((k * kPanels + p) * size_t{64} >> ahead_shift)),
                   _MM_HINT_T1);
      weights[p] = _mm512_xor_si512(
          _mm512_loadu_si512(w + p * w_stride + size_t{k} * 64), flip);
    }
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const __m512i quad = BroadcastQuad(x + r * x_stride + size_t{k} * 4);
      LLMA_UNROLL
      for (int p = 0; p < kPanels; ++p) {
        dots[r][p] = _mm512_dpbusd_epi32(dots[r][p], weights[p], quad);
        KeepInPlace(dots[r][p]);
      }
    }
  }
}

}  // namespace llma::kernels::avx512vnni

LLMA_TARGET_END
#endif  // defined(__x86_64__)
#endif  // LLMA_KERNELS_AVX512VNNI_TILE_H_
