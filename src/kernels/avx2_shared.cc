// SPDX-License-Identifier: Apache-2.0
// Kernels for AVX2 that have no int8 products. Each function equals its
// namesake in numerics/reference_ops.h; comments here only say how, never what.
#include "kernels/avx2_shared.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include "kernels/target_region.h"
#include "numerics/exact_math.h"

LLMA_TARGET_BEGIN("avx2")

namespace llma::kernels::avx2 {
namespace {

inline float MaxLane(__m256 v) {
  __m128 m = _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
  m = _mm_max_ps(m, _mm_movehl_ps(m, m));
  return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
}

inline int32_t AddLanes(__m256i v) {
  __m128i s =
      _mm_add_epi32(_mm256_castsi256_si128(v), _mm256_extracti128_si256(v, 1));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
  s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
  return _mm_cvtsi128_si32(s);
}

inline __m256 Abs(__m256 x) {
  return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x);
}

// The low bytes of 8 int32 in [-128, 127] or [0, 127].
inline void StoreBytes(void* p, __m256i v) {
  const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v),
                                        _mm256_extracti128_si256(v, 1));
  _mm_storel_epi64(static_cast<__m128i*>(p), _mm_packs_epi16(words, words));
}

// exact_math.h: Exp2NonPositive. An argument below -126 gives 0.
inline __m256 Exp2(__m256 t) {
  const __m256 n =
      _mm256_round_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  const __m256 f = _mm256_sub_ps(t, n);
  __m256 p = _mm256_set1_ps(kExp2Coefficients[3]);
  p = _mm256_add_ps(_mm256_mul_ps(p, f), _mm256_set1_ps(kExp2Coefficients[2]));
  p = _mm256_add_ps(_mm256_mul_ps(p, f), _mm256_set1_ps(kExp2Coefficients[1]));
  p = _mm256_add_ps(_mm256_mul_ps(p, f), _mm256_set1_ps(kExp2Coefficients[0]));
  p = _mm256_add_ps(_mm256_mul_ps(p, f), _mm256_set1_ps(1.0f));
  const __m256i bits = _mm256_add_epi32(
      _mm256_castps_si256(p), _mm256_slli_epi32(_mm256_cvtps_epi32(n), 23));
  const __m256i keep = _mm256_and_si256(
      _mm256_castps_si256(
          _mm256_cmp_ps(t, _mm256_set1_ps(kExp2Lowest), _CMP_GE_OQ)),
      _mm256_cmpgt_epi32(bits, _mm256_set1_epi32((1 << 23) - 1)));
  return _mm256_castsi256_ps(_mm256_and_si256(bits, keep));
}

// All ones in the first `size` (at most 8) of 8 lanes.
inline __m256i FirstLanes(uint32_t size) {
  return _mm256_cmpgt_epi32(_mm256_set1_epi32(static_cast<int32_t>(size)),
                            _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}

struct SiluExponent {
  __m256 operator()(__m256 g) const {
    return _mm256_mul_ps(Abs(g), _mm256_set1_ps(kLog2E));
  }
};

struct GeluExponent {
  __m256 operator()(__m256 g) const {
    const __m256 a = _mm256_min_ps(Abs(g), _mm256_set1_ps(kLargestGeluInput));
    const __m256 square_part = _mm256_mul_ps(
        _mm256_set1_ps(kGeluCoefficients[1]), _mm256_mul_ps(a, a));
    return _mm256_mul_ps(
        a, _mm256_add_ps(_mm256_set1_ps(kGeluCoefficients[0]), square_part));
  }
};

// exponent(g) is what exp2n gets, made positive.
template <class Exponent>
inline __m256 GateLanes(__m256 g, __m256 u, const Exponent& exponent) {
  const __m256 e = Exp2(_mm256_xor_ps(exponent(g), _mm256_set1_ps(-0.0f)));
  const __m256 numerator =
      _mm256_blendv_ps(g, _mm256_mul_ps(g, e),
                       _mm256_cmp_ps(g, _mm256_setzero_ps(), _CMP_LT_OQ));
  const __m256 gated = _mm256_mul_ps(
      _mm256_div_ps(numerator, _mm256_add_ps(_mm256_set1_ps(1.0f), e)), u);
  return _mm256_min_ps(_mm256_max_ps(gated, _mm256_set1_ps(-kLargestGated)),
                       _mm256_set1_ps(kLargestGated));
}

template <class Exponent>
inline void GateAll(const float* gate, const float* up, uint32_t size, float* y,
                    const Exponent& exponent) {
  uint32_t i = 0;
  for (; i + 8 <= size; i += 8) {
    _mm256_storeu_ps(y + i, GateLanes(_mm256_loadu_ps(gate + i),
                                      _mm256_loadu_ps(up + i), exponent));
  }
  if (i < size) {
    const __m256i mask = FirstLanes(size - i);
    _mm256_maskstore_ps(y + i, mask,
                        GateLanes(_mm256_maskload_ps(gate + i, mask),
                                  _mm256_maskload_ps(up + i, mask), exponent));
  }
}

}  // namespace

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts) {
  for (uint32_t g = 0; g < num_cols / group_size; ++g) {
    const float* in = x + size_t{g} * group_size;
    int8_t* out = values + size_t{g} * group_size;
    __m256 largest_lanes = _mm256_setzero_ps();
    for (uint32_t i = 0; i < group_size; i += 8) {
      largest_lanes =
          _mm256_max_ps(largest_lanes, Abs(_mm256_loadu_ps(in + i)));
    }
    const float largest = MaxLane(largest_lanes);
    const bool is_zero = largest < kSmallestMagnitude;
    scales[g] = is_zero ? 0.0f : largest / 127.0f;
    const __m256 inverse = _mm256_set1_ps(is_zero ? 0.0f : 127.0f / largest);
    __m256i sum = _mm256_setzero_si256();
    for (uint32_t i = 0; i < group_size; i += 8) {
      const __m256i q =
          _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(in + i), inverse));
      sum = _mm256_add_epi32(sum, q);
      StoreBytes(out + i, q);
    }
    starts[g] = -128 * AddLanes(sum);
  }
}

void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y) {
  __m256 low = _mm256_setzero_ps(), high = _mm256_setzero_ps();
  for (uint32_t i = 0; i < dim; i += 16) {
    const __m256 v_low = _mm256_loadu_ps(x + i);
    const __m256 v_high = _mm256_loadu_ps(x + i + 8);
    low = _mm256_add_ps(low, _mm256_mul_ps(v_low, v_low));
    high = _mm256_add_ps(high, _mm256_mul_ps(v_high, v_high));
  }
  const __m256 eight = _mm256_add_ps(low, high);
  const __m256 inverse = _mm256_broadcastss_ps(InverseRms(eight, dim, eps));
  for (uint32_t i = 0; i < dim; i += 8) {
    _mm256_storeu_ps(
        y + i, _mm256_mul_ps(_mm256_mul_ps(_mm256_loadu_ps(x + i), inverse),
                             _mm256_loadu_ps(weight + i)));
  }
}

void SwiGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, SiluExponent());
}

void GeGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, GeluExponent());
}

float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo) {
  __m256 max_lanes = _mm256_loadu_ps(scores);
  for (uint32_t j = 8; j < num_positions; j += 8) {
    max_lanes = _mm256_max_ps(max_lanes, _mm256_loadu_ps(scores + j));
  }
  const __m256 max_score = _mm256_set1_ps(MaxLane(max_lanes));
  __m256i denominators = _mm256_setzero_si256();
  __m256 largest_lanes = _mm256_setzero_ps();
  for (uint32_t j = 0; j < num_positions; j += 8) {
    const __m256 t = _mm256_sub_ps(_mm256_loadu_ps(scores + j), max_score);
    const __m256 keep =
        _mm256_cmp_ps(t, _mm256_set1_ps(kLowestAttentionExponent), _CMP_GE_OQ);
    const __m256 p = _mm256_and_ps(
        keep, _mm256_mul_ps(Exp2(t), _mm256_set1_ps(kDenominatorScale)));
    denominators = _mm256_add_epi32(denominators, _mm256_cvtps_epi32(p));
    const __m256 folded = _mm256_mul_ps(p, _mm256_loadu_ps(v_scales + j));
    largest_lanes = _mm256_max_ps(largest_lanes, folded);
    _mm256_storeu_ps(scores + j, folded);
  }
  const float largest = MaxLane(largest_lanes);
  const int32_t denominator = AddLanes(denominators);
  const __m256 factor = _mm256_set1_ps(
      largest == 0.0f ? 0.0f : kLargestAttentionWeight / largest);
  for (uint32_t j = 0; j < num_positions; j += 8) {
    const __m256i w =
        _mm256_cvtps_epi32(_mm256_mul_ps(_mm256_loadu_ps(scores + j), factor));
    StoreBytes(weights_hi + j, _mm256_srli_epi32(w, 7));
    StoreBytes(weights_lo + j, _mm256_and_si256(w, _mm256_set1_epi32(127)));
  }
  return (largest / kLargestAttentionWeight) / static_cast<float>(denominator);
}

void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums) {
  const __m256 lowest = _mm256_set1_ps(-0x1p+126f);
  const uint32_t num_whole = num_tokens / 8 * 8;
  const __m256i tail = FirstLanes(num_tokens - num_whole);
  // Lanes behind the end are as small as can be.
  const __m256 tail_logits =
      _mm256_blendv_ps(lowest, _mm256_maskload_ps(logits + num_whole, tail),
                       _mm256_castsi256_ps(tail));
  __m256 max_lanes = tail_logits;
  for (uint32_t v = 0; v < num_whole; v += 8) {
    max_lanes = _mm256_max_ps(max_lanes, _mm256_loadu_ps(logits + v));
  }
  const __m256 max_logit = _mm256_set1_ps(MaxLane(max_lanes));
  const __m256i low_half = _mm256_set1_epi64x(0xffffffff);
  for (uint32_t block = 0; block < num_tokens; block += kTokenBlock) {
    __m256i sum = _mm256_setzero_si256();  // 4 x uint64
    for (uint32_t v = block; v < block + kTokenBlock && v < num_tokens;
         v += 8) {
      const bool is_whole = v < num_whole;
      const __m256 logit = is_whole ? _mm256_loadu_ps(logits + v) : tail_logits;
      const __m256 p = Exp2(_mm256_mul_ps(_mm256_sub_ps(logit, max_logit),
                                          _mm256_set1_ps(kLog2E)));
      __m256i weight = _mm256_add_epi32(
          _mm256_set1_epi32(1), _mm256_cvttps_epi32(_mm256_mul_ps(
                                    p, _mm256_set1_ps(kTokenWeightScale))));
      if (is_whole) {
        Store(weights + v, weight);
      } else {
        weight = _mm256_and_si256(weight, tail);
        _mm256_maskstore_epi32(reinterpret_cast<int*>(weights + v), tail,
                               weight);
      }
      sum = _mm256_add_epi64(sum, _mm256_and_si256(weight, low_half));
      sum = _mm256_add_epi64(sum, _mm256_srli_epi64(weight, 32));
    }
    const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sum),
                                      _mm256_extracti128_si256(sum, 1));
    block_sums[block / kTokenBlock] = static_cast<uint64_t>(
        _mm_cvtsi128_si64(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two))));
  }
}

}  // namespace llma::kernels::avx2

LLMA_TARGET_END
#endif  // defined(__x86_64__)
