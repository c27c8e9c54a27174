// SPDX-License-Identifier: Apache-2.0
#include "cm/light_kernels.h"

#include <algorithm>
#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

namespace llma::cm {
namespace {

// The upper half of the sum of the weights at a place.
int32_t UpperSum(const int32_t* const* rows, int place) {
  int32_t sum = 0;
  for (int row = 0; row < kLightRows; ++row) sum += rows[row][place];
  return sum >> 16;
}

int32_t ScalarDot(const int16_t* x, const int32_t* const* rows) {
  int32_t sum = 0;
  for (int i = 0; i < kLightInputs; i += 2) {
    const int32_t even = UpperSum(rows, WeightPlace(i));
    const int32_t odd = UpperSum(rows, WeightPlace(i + 1));
    sum += (x[i] * even + x[i + 1] * odd) >> 6;
  }
  return sum;
}

void ScalarTrain(const int16_t* x, int32_t error, int32_t* const* rows) {
  for (int row = 0; row < kLightRows; ++row) {
    for (int i = 0; i < kLightInputs; ++i) {
      int32_t& weight = rows[row][WeightPlace(i)];
      weight =
          std::clamp(weight + x[i] * error, -kMaxLightWeight, kMaxLightWeight);
    }
  }
}

#if defined(__x86_64__)

#define LLMA_AVX2 __attribute__((target("avx2")))

LLMA_AVX2 inline __m256i LoadVector(const void* p) {
  return _mm256_load_si256(static_cast<const __m256i*>(p));
}

// The upper halves of the sums of eight weights, as 32 bits.
LLMA_AVX2 inline __m256i UpperSums(const int32_t* const* rows, int place) {
  __m256i sum = LoadVector(rows[0] + place);
  for (int row = 1; row < kLightRows; ++row) {
    sum = _mm256_add_epi32(sum, LoadVector(rows[row] + place));
  }
  return _mm256_srai_epi32(sum, 16);
}

LLMA_AVX2 int32_t Avx2Dot(const int16_t* x, const int32_t* const* rows) {
  __m256i sum = _mm256_setzero_si256();
  for (int i = 0; i < kLightInputs; i += 16) {
    const __m256i weights =
        _mm256_packs_epi32(UpperSums(rows, i), UpperSums(rows, i + 8));
    const __m256i pairs = _mm256_madd_epi16(LoadVector(x + i), weights);
    sum = _mm256_add_epi32(sum, _mm256_srai_epi32(pairs, 6));
  }
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum),
                            _mm256_extracti128_si256(sum, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

LLMA_AVX2 inline void AddClamped(__m256i step, int32_t* weights) {
  const __m256i max = _mm256_set1_epi32(kMaxLightWeight);
  const __m256i min = _mm256_set1_epi32(-kMaxLightWeight);
  const __m256i moved = _mm256_add_epi32(LoadVector(weights), step);
  _mm256_store_si256(reinterpret_cast<__m256i*>(weights),
                     _mm256_max_epi32(_mm256_min_epi32(moved, max), min));
}

LLMA_AVX2 void Avx2Train(const int16_t* x, int32_t error,
                         int32_t* const* rows) {
  const __m256i e = _mm256_set1_epi16(static_cast<int16_t>(error));
  for (int i = 0; i < kLightInputs; i += 16) {
    const __m256i inputs = LoadVector(x + i);
    const __m256i low = _mm256_mullo_epi16(inputs, e);
    const __m256i high = _mm256_mulhi_epi16(inputs, e);
    const __m256i first = _mm256_unpacklo_epi16(low, high);
    const __m256i second = _mm256_unpackhi_epi16(low, high);
    for (int row = 0; row < kLightRows; ++row) {
      AddClamped(first, rows[row] + i);
      AddClamped(second, rows[row] + i + 8);
    }
  }
}

#undef LLMA_AVX2

constexpr LightKernels kAvx2LightKernels = {"avx2", Avx2Dot, Avx2Train};

#elif defined(__aarch64__)

// Four inputs times the upper halves of the sums of their weights.
inline int32x4_t Products(int16x4_t x, const int32_t* const* rows, int place) {
  int32x4_t sum = vld1q_s32(rows[0] + place);
  for (int row = 1; row < kLightRows; ++row) {
    sum = vaddq_s32(sum, vld1q_s32(rows[row] + place));
  }
  return vmull_s16(x, vshrn_n_s32(sum, 16));
}

int32_t NeonDot(const int16_t* x, const int32_t* const* rows) {
  int32x4_t sum = vdupq_n_s32(0);
  for (int i = 0; i < kLightInputs; i += 8) {
    const int16x8_t inputs = vld1q_s16(x + i);
    const int32x4_t pairs =
        vpaddq_s32(Products(vget_low_s16(inputs), rows, WeightPlace(i)),
                   Products(vget_high_s16(inputs), rows, WeightPlace(i + 4)));
    sum = vaddq_s32(sum, vshrq_n_s32(pairs, 6));
  }
  return vaddvq_s32(sum);
}

inline void AddClamped(int32x4_t step, int32_t* weights) {
  const int32x4_t moved = vaddq_s32(vld1q_s32(weights), step);
  vst1q_s32(weights, vmaxq_s32(vminq_s32(moved, vdupq_n_s32(kMaxLightWeight)),
                               vdupq_n_s32(-kMaxLightWeight)));
}

void NeonTrain(const int16_t* x, int32_t error, int32_t* const* rows) {
  const auto e = static_cast<int16_t>(error);
  for (int i = 0; i < kLightInputs; i += 4) {
    const int32x4_t step = vmull_n_s16(vld1_s16(x + i), e);
    for (int row = 0; row < kLightRows; ++row) {
      AddClamped(step, rows[row] + WeightPlace(i));
    }
  }
}

constexpr LightKernels kNeonLightKernels = {"neon", NeonDot, NeonTrain};

#endif

}  // namespace

const LightKernels kScalarLightKernels = {"scalar", ScalarDot, ScalarTrain};

const LightKernels& BestLightKernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return kAvx2LightKernels;
#elif defined(__aarch64__)
  return kNeonLightKernels;
#endif
  return kScalarLightKernels;
}

}  // namespace llma::cm
