// SPDX-License-Identifier: Apache-2.0
// Mixers of the context models for AVX2; all x86 tables have them.
#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/avx2_shared.h"
#include "kernels/target_region.h"

LLMA_TARGET_BEGIN("avx2")

namespace llma::kernels::avx2 {
namespace {

inline __m256i LoadAligned(const void* p) {
  return _mm256_load_si256(static_cast<const __m256i*>(p));
}

// The sums of a row's pairs in eight lanes.
inline __m256i RowDot(const int16_t* x, const int32_t* w, int n) {
  __m256i sum = _mm256_setzero_si256();
  for (int i = 0; i < n; i += kMixerBlock) {
    const __m256i low = _mm256_srai_epi32(Load(w + i), 16);
    const __m256i high = _mm256_srai_epi32(Load(w + i + 8), 16);
    const __m256i pairs =
        _mm256_madd_epi16(Load(x + i), _mm256_packs_epi32(low, high));
    sum = _mm256_add_epi32(sum, _mm256_srai_epi32(pairs, 6));
  }
  return sum;
}

// The upper halves of the sums of eight weights, as 32 bits.
inline __m256i UpperSums(const int32_t* const* rows, int index) {
  __m256i sum = LoadAligned(rows[0] + index);
  for (int row = 1; row < kLightMixerRows; ++row) {
    sum = _mm256_add_epi32(sum, LoadAligned(rows[row] + index));
  }
  return _mm256_srai_epi32(sum, 16);
}

inline void AddClamped(__m256i step, int32_t* weights) {
  const __m256i max = _mm256_set1_epi32(kMaxLightMixerWeight);
  const __m256i min = _mm256_set1_epi32(-kMaxLightMixerWeight);
  const __m256i moved = _mm256_add_epi32(LoadAligned(weights), step);
  _mm256_store_si256(reinterpret_cast<__m256i*>(weights),
                     _mm256_max_epi32(_mm256_min_epi32(moved, max), min));
}

}  // namespace

void MixerDot(const int16_t* x, int n, const int32_t* const* rows, int num_rows,
              int32_t* sums) {
  int row = 0;
  for (; row + 2 < num_rows; row += 4) {  // three or four rows
    const __m256i a = RowDot(x, rows[row], n);
    const __m256i b = RowDot(x, rows[row + 1], n);
    const __m256i c = RowDot(x, rows[row + 2], n);
    const bool has_fourth = row + 3 < num_rows;
    const __m256i d = has_fourth ? RowDot(x, rows[row + 3], n) : c;
    const __m256i four =
        _mm256_hadd_epi32(_mm256_hadd_epi32(a, b), _mm256_hadd_epi32(c, d));
    const __m128i s = _mm_add_epi32(_mm256_castsi256_si128(four),
                                    _mm256_extracti128_si256(four, 1));
    _mm_storel_epi64(reinterpret_cast<__m128i*>(sums + row), s);
    sums[row + 2] = _mm_extract_epi32(s, 2);
    if (has_fourth) sums[row + 3] = _mm_extract_epi32(s, 3);
  }
  for (; row < num_rows; ++row) {
    const __m256i sum = RowDot(x, rows[row], n);
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum),
                              _mm256_extracti128_si256(sum, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    sums[row] = _mm_cvtsi128_si32(s);
  }
}

void MixerTrain(const int16_t* x, int n, int32_t* const* rows, int num_rows,
                const int32_t* errors) {
  const __m256i max = _mm256_set1_epi32(kMaxMixerWeight);
  const __m256i min = _mm256_set1_epi32(-kMaxMixerWeight);
  for (int row = 0; row < num_rows; ++row) {
    if (errors[row] == 0) continue;
    const __m256i e = _mm256_set1_epi16(static_cast<int16_t>(errors[row]));
    for (int i = 0; i < n; i += kMixerBlock) {
      auto* at = reinterpret_cast<__m256i*>(rows[row] + i);
      const __m256i inputs = Load(x + i);
      const __m256i low = _mm256_mullo_epi16(inputs, e);
      const __m256i high = _mm256_mulhi_epi16(inputs, e);
      __m256i w0 = _mm256_add_epi32(Load(at), _mm256_unpacklo_epi16(low, high));
      __m256i w1 =
          _mm256_add_epi32(Load(at + 1), _mm256_unpackhi_epi16(low, high));
      w0 = _mm256_max_epi32(_mm256_min_epi32(w0, max), min);
      w1 = _mm256_max_epi32(_mm256_min_epi32(w1, max), min);
      _mm256_storeu_si256(at, w0);
      _mm256_storeu_si256(at + 1, w1);
    }
  }
}

int64_t WideMixerDot(const int32_t* x, const int32_t* w, size_t n) {
  __m256i even = _mm256_setzero_si256();
  __m256i odd = _mm256_setzero_si256();
  for (size_t i = 0; i < n; i += kWideMixerBlock) {
    const __m256i inputs = Load(x + i);
    const __m256i weights = Load(w + i);
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

void WideMixerTrain(const int32_t* x, int64_t factor, int32_t* w, size_t n) {
  // factor = high * 2^32 + low, both signed: high * x is whole, and of low * x
  // the upper half is what remains, rounded down.
  const auto low = static_cast<int32_t>(factor);
  const auto high = static_cast<int32_t>((factor - low) >> 32);
  const __m256i lows = _mm256_set1_epi32(low);
  const __m256i highs = _mm256_set1_epi32(high);
  const __m256i max = _mm256_set1_epi32(kMaxWideMixerWeight);
  const __m256i min = _mm256_set1_epi32(-kMaxWideMixerWeight);
  for (size_t i = 0; i < n; i += kWideMixerBlock) {
    const __m256i inputs = Load(x + i);
    const __m256i even = _mm256_mul_epi32(inputs, lows);
    const __m256i odd = _mm256_mul_epi32(_mm256_srli_epi64(inputs, 32), lows);
    const __m256i upper =
        _mm256_blend_epi32(_mm256_srli_epi64(even, 32), odd, 0xaa);
    const __m256i step =
        _mm256_add_epi32(_mm256_mullo_epi32(inputs, highs), upper);
    const __m256i moved = _mm256_add_epi32(Load(w + i), step);
    _mm256_storeu_si256(reinterpret_cast<__m256i*>(w + i),
                        _mm256_max_epi32(_mm256_min_epi32(moved, max), min));
  }
}

int32_t LightMixerDot(const int16_t* x, const int32_t* const* rows) {
  __m256i sum = _mm256_setzero_si256();
  for (int i = 0; i < kLightMixerInputs; i += 16) {
    const __m256i weights =
        _mm256_packs_epi32(UpperSums(rows, i), UpperSums(rows, i + 8));
    const __m256i pairs = _mm256_madd_epi16(LoadAligned(x + i), weights);
    sum = _mm256_add_epi32(sum, _mm256_srai_epi32(pairs, 6));
  }
  __m128i s = _mm_add_epi32(_mm256_castsi256_si128(sum),
                            _mm256_extracti128_si256(sum, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

void LightMixerTrain(const int16_t* x, int32_t error, int32_t* const* rows) {
  const __m256i e = _mm256_set1_epi16(static_cast<int16_t>(error));
  for (int i = 0; i < kLightMixerInputs; i += 16) {
    const __m256i inputs = LoadAligned(x + i);
    const __m256i low = _mm256_mullo_epi16(inputs, e);
    const __m256i high = _mm256_mulhi_epi16(inputs, e);
    const __m256i first = _mm256_unpacklo_epi16(low, high);
    const __m256i second = _mm256_unpackhi_epi16(low, high);
    for (int row = 0; row < kLightMixerRows; ++row) {
      AddClamped(first, rows[row] + i);
      AddClamped(second, rows[row] + i + 8);
    }
  }
}

}  // namespace llma::kernels::avx2

LLMA_TARGET_END
#endif  // defined(__x86_64__)
