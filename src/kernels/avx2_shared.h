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
void JoinValueSums(const int32_t* sums_hi, const int32_t* sums_lo, float scale,
                   uint32_t size, float* out);
void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums);
extern const LearningKernels kLearning;
void MixerDot(const int16_t* x, int n, const int32_t* const* rows, int num_rows,
              int32_t* sums);
void MixerTrain(const int16_t* x, int n, int32_t* const* rows, int num_rows,
                const int32_t* errors);
int64_t WideMixerDot(const int32_t* x, const int32_t* w, size_t n);
void WideMixerTrain(const int32_t* x, int64_t factor, int32_t* w, size_t n);
int32_t LightMixerDot(const int16_t* x, const int32_t* const* rows);
void LightMixerTrain(const int16_t* x, int32_t error, int32_t* const* rows);

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

}  // namespace llma::kernels::avx2

LLMA_TARGET_END
#endif  // defined(__x86_64__)
#endif  // LLMA_KERNELS_AVX2_SHARED_H_
