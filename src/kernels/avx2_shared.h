// SPDX-License-Identifier: Apache-2.0
// What the tables for AVX2 and AVX-VNNI share: kernels without int8 products,
// and small pieces of those with them. AVX-512 takes some of the pieces too.
#ifndef LLMA_KERNELS_AVX2_SHARED_H_
#define LLMA_KERNELS_AVX2_SHARED_H_

#include "kernels/kernel_table.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "kernels/target_region.h"

LLMA_TARGET_BEGIN("avx2")

namespace llma::kernels::avx2 {

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts);
void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y);
void SwiGlu(const float* gate, const float* up, uint32_t size, float* y);
void GeGlu(const float* gate, const float* up, uint32_t size, float* y);
float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo);
void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums);

// A panel has 16 rows, two vectors of 8 int32 sums.
constexpr int kHalves = 2;

inline __m256i Load(const void* p) {
  return _mm256_loadu_si256(static_cast<const __m256i*>(p));
}

inline void Store(void* p, __m256i v) {
  _mm256_storeu_si256(static_cast<__m256i*>(p), v);
}

// Always inline: GCC drops calls of a function that does nothing but this.
[[gnu::always_inline]] inline void Prefetch(const int8_t* p) {
  _mm_prefetch(reinterpret_cast<const char*>(p), _MM_HINT_T1);
}

inline __m256i BroadcastQuad(const void* four_bytes) {
  int32_t quad;
  std::memcpy(&quad, four_bytes, 4);
  return _mm256_set1_epi32(quad);
}

// sums[8] += (dots * w_scales[8]) * x_scale
inline void AddScaled(__m256i dots, const float* w_scales, float x_scale,
                      float* sums) {
  const __m256 scaled =
      _mm256_mul_ps(_mm256_cvtepi32_ps(dots), _mm256_loadu_ps(w_scales));
  _mm256_storeu_ps(
      sums, _mm256_add_ps(_mm256_loadu_ps(sums),
                          _mm256_mul_ps(scaled, _mm256_set1_ps(x_scale))));
}

// 1 / sqrt(the sum of eight / dim + eps), in the first lane.
inline __m128 InverseRms(__m256 eight, uint32_t dim, float eps) {
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
                                 _mm256_extractf128_ps(eight, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  const __m128 one = _mm_add_ss(two, _mm_movehdup_ps(two));
  const __m128 mean = _mm_div_ss(one, _mm_set_ss(static_cast<float>(dim)));
  const __m128 root = _mm_sqrt_ss(_mm_add_ss(mean, _mm_set_ss(eps)));
  return _mm_div_ss(_mm_set_ss(1.0f), root);
}

}  // namespace llma::kernels::avx2

LLMA_TARGET_END
#endif  // defined(__x86_64__)
#endif  // LLMA_KERNELS_AVX2_SHARED_H_
