// SPDX-License-Identifier: Apache-2.0
#include "cm/mixer_kernels.h"

#include <algorithm>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace llma::cm {
namespace {

int32_t ScalarDot(const int16_t* x, const int32_t* w, int n) {
  int32_t sum = 0;
  for (int i = 0; i < n; i += 2) {
    const int place = WeightPlace(i);
    sum += (x[i] * (w[place] >> 16) + x[i + 1] * (w[place + 1] >> 16)) >> 6;
  }
  return sum;
}

void ScalarTrain(const int16_t* x, int32_t* w, int n, int32_t error) {
  for (int i = 0; i < n; ++i) {
    int32_t& weight = w[WeightPlace(i)];
    weight = std::clamp(weight + x[i] * error, -kMaxWeight, kMaxWeight);
  }
}

#if defined(__x86_64__)

__attribute__((target("avx2"))) int32_t Avx2Dot(const int16_t* x,
                                                const int32_t* w, int n) {
  __m256i sum = _mm256_setzero_si256();
  for (int i = 0; i < n; i += kMixerBlock) {
    const auto* from = reinterpret_cast<const __m256i*>(w + i);
    const __m256i low = _mm256_srai_epi32(_mm256_loadu_si256(from), 16);
    const __m256i high = _mm256_srai_epi32(_mm256_loadu_si256(from + 1), 16);
    const __m256i inputs =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    const __m256i pairs =
        _mm256_madd_epi16(inputs, _mm256_packs_epi32(low, high));
    sum = _mm256_add_epi32(sum, _mm256_srai_epi32(pairs, 6));
  }
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum),
                            _mm256_extracti128_si256(sum, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

__attribute__((target("avx2"))) void Avx2Train(const int16_t* x, int32_t* w,
                                               int n, int32_t error) {
  const __m256i e = _mm256_set1_epi16(static_cast<int16_t>(error));
  const __m256i max = _mm256_set1_epi32(kMaxWeight);
  const __m256i min = _mm256_set1_epi32(-kMaxWeight);
  for (int i = 0; i < n; i += kMixerBlock) {
    auto* at = reinterpret_cast<__m256i*>(w + i);
    const __m256i inputs =
        _mm256_loadu_si256(reinterpret_cast<const __m256i*>(x + i));
    const __m256i low = _mm256_mullo_epi16(inputs, e);
    const __m256i high = _mm256_mulhi_epi16(inputs, e);
    __m256i w0 = _mm256_add_epi32(_mm256_loadu_si256(at),
                                  _mm256_unpacklo_epi16(low, high));
    __m256i w1 = _mm256_add_epi32(_mm256_loadu_si256(at + 1),
                                  _mm256_unpackhi_epi16(low, high));
    w0 = _mm256_max_epi32(_mm256_min_epi32(w0, max), min);
    w1 = _mm256_max_epi32(_mm256_min_epi32(w1, max), min);
    _mm256_storeu_si256(at, w0);
    _mm256_storeu_si256(at + 1, w1);
  }
}

constexpr MixerKernels kAvx2MixerKernels = {"avx2", Avx2Dot, Avx2Train};

#endif

}  // namespace

const MixerKernels kScalarMixerKernels = {"scalar", ScalarDot, ScalarTrain};

const MixerKernels* Avx2MixerKernels() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return &kAvx2MixerKernels;
#endif
  return nullptr;
}

const MixerKernels& BestMixerKernels() {
  const MixerKernels* avx2 = Avx2MixerKernels();
  return avx2 != nullptr ? *avx2 : kScalarMixerKernels;
}

}  // namespace llma::cm
