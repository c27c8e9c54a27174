// SPDX-License-Identifier: Apache-2.0
#include "cm/wide_mixer_kernels.h"

#include <algorithm>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace llma::cm {
namespace {

int64_t ScalarDot(const int32_t* x, const int32_t* w, size_t n) {
  int64_t sum = 0;
  for (size_t i = 0; i < n; ++i) sum += int64_t{x[i]} * w[i];
  return sum;
}

void ScalarTrain(const int32_t* x, int64_t factor, int32_t* w, size_t n) {
  for (size_t i = 0; i < n; ++i) {
    w[i] = static_cast<int32_t>(std::clamp<int64_t>(
        w[i] + ((factor * x[i]) >> 32), -kMaxWideWeight, kMaxWideWeight));
  }
}

#if defined(__x86_64__)

#define LLMA_AVX2 __attribute__((target("avx2")))

LLMA_AVX2 inline __m256i LoadVector(const int32_t* p) {
  return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
}

LLMA_AVX2 int64_t Avx2Dot(const int32_t* x, const int32_t* w, size_t n) {
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  for (size_t i = 0; i < n; i += kWideMixerBlock) {
    const __m256i inputs = LoadVector(x + i);
    const __m256i weights = LoadVector(w + i);
    even = _mm256_add_epi64(even, _mm256_mul_epi32(inputs, weights));
    odd =
        _mm256_add_epi64(odd, _mm256_mul_epi32(_mm256_srli_epi64(inputs, 32),
                                               _mm256_srli_epi64(weights, 32)));
  }
  const __m256i four = _mm256_add_epi64(even, odd);
  const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(four),
                                    _mm256_extracti128_si256(four, 1));
  return _mm_cvtsi128_si64(two) + _mm_extract_epi64(two, 1);
}

LLMA_AVX2 void Avx2Train(const int32_t* x, int64_t factor, int32_t* w,
                         size_t n) {
  // factor = high * 2^32 + low, both signed: high * x is whole, and of low * x
  // the upper half is what remains, rounded down.
  const auto low = static_cast<int32_t>(factor);
  const auto high = static_cast<int32_t>((factor - low) >> 32);
  const __m256i lows = _mm256_set1_epi32(low);
  const __m256i highs = _mm256_set1_epi32(high);
  const __m256i max = _mm256_set1_epi32(kMaxWideWeight);
  const __m256i min = _mm256_set1_epi32(-kMaxWideWeight);
  for (size_t i = 0; i < n; i += kWideMixerBlock) {
    const __m256i inputs = LoadVector(x + i);
    const __m256i even = _mm256_mul_epi32(inputs, lows);
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(inputs, 32), lows);
    const __m256i upper =
        _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    const __m256i step =
        _mm256_add_epi32(_mm256_mullo_epi32(inputs, highs), upper);
    const __m256i moved = _mm256_add_epi32(LoadVector(w + i), step);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(w + i),
                        _mm256_max_epi32(_mm256_min_epi32(moved, max), min));
  }
}

#undef LLMA_AVX2

constexpr WideMixerKernels kAvx2WideMixerKernels = {"avx2", Avx2Dot, Avx2Train};

#endif

}  // namespace

const WideMixerKernels kScalarWideMixerKernels = {"scalar", ScalarDot,
                                                  ScalarTrain};

const WideMixerKernels* Avx2WideMixerKernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return &kAvx2WideMixerKernels;
#endif
  return nullptr;
}

const WideMixerKernels& BestWideMixerKernels() {
  const WideMixerKernels* avx2 = Avx2WideMixerKernels();
  return avx2 != nullptr ? *avx2 : kScalarWideMixerKernels;
}

}  // namespace llma::cm
