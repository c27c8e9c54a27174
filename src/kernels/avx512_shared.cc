// SPDX-License-Identifier: Apache-2.0
// Kernels for AVX-512 (F, BW, DQ, VL, VNNI) other than matrix products. Each
// function equals its namesake in numerics/reference_ops.h; comments here only
// say how, never what.
#include "kernels/avx512_shared.h"

#if defined(__x86_64__)
#include "kernels/avx2_shared.h"
#include "kernels/avx512_intrinsics.h"
#include "kernels/target_region.h"
#include "numerics/exact_math.h"

LLMA_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

namespace llma::kernels::avx512 {
namespace {

// Keeps GCC from computing them one behind the other.
template <int kCount>
inline void KeepTogether(__m512 (&v)[kCount]) {
  if constexpr (kCount == 4) {
    __asm__("" : "+v"(v[0]), "+v"(v[1]), "+v"(v[2]), "+v"(v[3]));
  }
}

// The polynomial of kCount vectors side by side, or the processor's scheduler
// fills with one's steps, of which each waits for the one before. Times
// `scale`, a power of two, which changes no rounding.
template <int kCount>
inline void Exp2Polynomials(const __m512 (&f)[kCount], float scale,
                            __m512 (&p)[kCount]) {
  for (__m512& one : p) one = _mm512_set1_ps(kExp2Coefficients[3] * scale);
  LLMA_UNROLL
  for (int k = 2; k >= -1; --k) {
    const float next = k < 0 ? 1.0f : kExp2Coefficients[k];
    LLMA_UNROLL
    for (int i = 0; i < kCount; ++i) p[i] = _mm512_mul_ps(p[i], f[i]);
    KeepTogether(p);
    LLMA_UNROLL
    for (int i = 0; i < kCount; ++i) {
      p[i] = _mm512_add_ps(p[i], _mm512_set1_ps(next * scale));
    }
    KeepTogether(p);
  }
}

// f = t - round(t), ties to even; exact, as is t - f.
template <int kCount>
inline void Fractions(const __m512 (&t)[kCount], __m512 (&f)[kCount]) {
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    f[i] =
        _mm512_reduce_ps(t[i], _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
  }
}

// exact_math.h: Exp2NonPositive.
template <int kCount>
inline void Exp2(const __m512 (&t)[kCount], __m512 (&power)[kCount]) {
  __m512 f[kCount];
  Fractions(t, f);
  Exp2Polynomials(f, 1.0f, power);
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    const __mmask16 in_range =
        _mm512_cmp_ps_mask(t[i], _mm512_set1_ps(kExp2Lowest), _CMP_GE_OQ);
    power[i] =
        _mm512_maskz_scalef_ps(in_range, power[i], _mm512_sub_ps(t[i], f[i]));
    const __mmask16 is_normal =
        _mm512_cmp_ps_mask(power[i], _mm512_set1_ps(0x1p-126f), _CMP_GE_OQ);
    power[i] = _mm512_maskz_mov_ps(is_normal, power[i]);
  }
}

// 2^(t + kShift) for t in [-64, 0], elsewhere anything; 0 where `keep` is not
// set.
template <int kShift, int kCount>
inline void Exp2InRange(const __m512 (&t)[kCount],
                        const __mmask16 (&keep)[kCount],
                        __m512 (&power)[kCount]) {
  __m512 f[kCount], p[kCount];
  Fractions(t, f);
  Exp2Polynomials(f, float{uint32_t{1} << kShift}, p);
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    power[i] = _mm512_maskz_scalef_ps(keep[i], p[i], _mm512_sub_ps(t[i], f[i]));
  }
}

inline __m512 Abs(__m512 x) { return _mm512_abs_ps(x); }

// The first `size` of 16 lanes.
inline __mmask16 FirstLanes(uint32_t size) {
  return size >= 16 ? __mmask16{0xffff}
                    : static_cast<__mmask16>((1u << size) - 1);
}

// gate * sigmoid of what has exp2n(t) = e, times up, clamped.
inline __m512 Gate(__m512 g, __m512 e, __m512 u) {
  const __mmask16 negative =
      _mm512_cmp_ps_mask(g, _mm512_setzero_ps(), _CMP_LT_OQ);
  const __m512 numerator = _mm512_mask_mul_ps(g, negative, g, e);
  const __m512 gated = _mm512_mul_ps(
      _mm512_div_ps(numerator, _mm512_add_ps(_mm512_set1_ps(1.0f), e)), u);
  return _mm512_min_ps(_mm512_max_ps(gated, _mm512_set1_ps(-kLargestGated)),
                       _mm512_set1_ps(kLargestGated));
}

// 16 * kCount of them, the first `size` exist. exponent(g) is what exp2n gets,
// made positive.
template <int kCount, class Exponent>
inline void GateSome(const float* gate, const float* up, uint32_t size,
                     float* y, const Exponent& exponent) {
  __m512 g[kCount], t[kCount], e[kCount];
  __mmask16 exists[kCount];
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    exists[i] = kCount == 1 ? FirstLanes(size) : __mmask16{0xffff};
    g[i] = _mm512_maskz_loadu_ps(exists[i], gate + 16 * i);
    t[i] = _mm512_xor_ps(exponent(g[i]), _mm512_set1_ps(-0.0f));
  }
  Exp2(t, e);
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    const __m512 u = _mm512_maskz_loadu_ps(exists[i], up + 16 * i);
    _mm512_mask_storeu_ps(y + 16 * i, exists[i], Gate(g[i], e[i], u));
  }
}

template <class Exponent>
inline void GateAll(const float* gate, const float* up, uint32_t size, float* y,
                    const Exponent& exponent) {
  uint32_t i = 0;
  for (; i + 64 <= size; i += 64) {
    GateSome<4>(gate + i, up + i, 64, y + i, exponent);
  }
  for (; i < size; i += 16) {
    GateSome<1>(gate + i, up + i, size - i, y + i, exponent);
  }
}

struct SiluExponent {
  __m512 operator()(__m512 g) const {
    return _mm512_mul_ps(Abs(g), _mm512_set1_ps(kLog2E));
  }
};

struct GeluExponent {
  __m512 operator()(__m512 g) const {
    const __m512 a = _mm512_min_ps(Abs(g), _mm512_set1_ps(kLargestGeluInput));
    const __m512 square_part = _mm512_mul_ps(
        _mm512_set1_ps(kGeluCoefficients[1]), _mm512_mul_ps(a, a));
    return _mm512_mul_ps(
        a, _mm512_add_ps(_mm512_set1_ps(kGeluCoefficients[0]), square_part));
  }
};

// Of `size` floats, at least one; none of them below -2^126.
inline float LargestOf(const float* x, uint32_t size) {
  // Four chains, for each step waits for the one before.
  __m512 lanes[4];
  for (__m512& l : lanes) l = _mm512_set1_ps(-0x1p+126f);
  uint32_t i = 0;
  for (; i + 64 <= size; i += 64) {
    LLMA_UNROLL
    for (int k = 0; k < 4; ++k) {
      lanes[k] = _mm512_max_ps(lanes[k], _mm512_loadu_ps(x + i + 16 * k));
    }
  }
  for (; i < size; i += 16) {
    lanes[0] =
        _mm512_mask_max_ps(lanes[0], FirstLanes(size - i), lanes[0],
                           _mm512_maskz_loadu_ps(FirstLanes(size - i), x + i));
  }
  return _mm512_reduce_max_ps(_mm512_max_ps(_mm512_max_ps(lanes[0], lanes[1]),
                                            _mm512_max_ps(lanes[2], lanes[3])));
}

// Lane i of the result: op over all lanes of v[i].
template <class Op>
inline __m128 JoinLanes(const __m512 (&v)[4], const Op& op) {
  const __m512 v01 =
      op(_mm512_unpacklo_ps(v[0], v[1]), _mm512_unpackhi_ps(v[0], v[1]));
  const __m512 v23 =
      op(_mm512_unpacklo_ps(v[2], v[3]), _mm512_unpackhi_ps(v[2], v[3]));
  const __m512 all =
      op(_mm512_shuffle_ps(v01, v23, 0x44), _mm512_shuffle_ps(v01, v23, 0xee));
  const __m512 two = op(all, _mm512_shuffle_f32x4(all, all, 0x4e));
  return _mm512_castps512_ps128(op(two, _mm512_shuffle_f32x4(two, two, 0xb1)));
}

struct Max {
  __m512 operator()(__m512 a, __m512 b) const { return _mm512_max_ps(a, b); }
};
struct AddInts {
  __m512 operator()(__m512 a, __m512 b) const {
    return _mm512_castsi512_ps(
        _mm512_add_epi32(_mm512_castps_si512(a), _mm512_castps_si512(b)));
  }
};

// One to four groups of 64 at once.
template <int kGroups>
inline void QuantizeGroups(const float* x, int8_t* values, float* scales,
                           int32_t* starts) {
  constexpr __mmask8 kExist = (1 << kGroups) - 1;
  __m512 largest_lanes[4], sum_lanes[4];
  for (int g = kGroups; g < 4; ++g) {
    largest_lanes[g] = sum_lanes[g] = _mm512_setzero_ps();
  }
  for (int g = 0; g < kGroups; ++g) {
    const float* in = x + 64 * g;
    largest_lanes[g] = _mm512_max_ps(
        _mm512_max_ps(Abs(_mm512_loadu_ps(in)), Abs(_mm512_loadu_ps(in + 16))),
        _mm512_max_ps(Abs(_mm512_loadu_ps(in + 32)),
                      Abs(_mm512_loadu_ps(in + 48))));
  }
  const __m128 largest = JoinLanes(largest_lanes, Max());
  const __mmask8 not_zero =
      _mm_cmp_ps_mask(largest, _mm_set1_ps(kSmallestMagnitude), _CMP_GE_OQ);
  const __m128 most = _mm_set1_ps(127.0f);
  _mm_mask_storeu_ps(scales, kExist, _mm_maskz_div_ps(not_zero, largest, most));
  const __m512 inverses =
      _mm512_castps128_ps512(_mm_maskz_div_ps(not_zero, most, largest));
  // Packing leaves four bytes of each vector in each quarter.
  const __m512i in_order =
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  for (int g = 0; g < kGroups; ++g) {
    const __m512 inverse =
        _mm512_permutexvar_ps(_mm512_set1_epi32(g), inverses);
    __m512i q[4];
    for (int i = 0; i < 4; ++i) {
      q[i] = _mm512_cvtps_epi32(
          _mm512_mul_ps(_mm512_loadu_ps(x + 64 * g + 16 * i), inverse));
    }
    const __m512i bytes = _mm512_permutexvar_epi32(
        in_order, _mm512_packs_epi16(_mm512_packs_epi32(q[0], q[1]),
                                     _mm512_packs_epi32(q[2], q[3])));
    _mm512_storeu_si512(values + 64 * g, bytes);
    sum_lanes[g] = _mm512_castsi512_ps(_mm512_dpbusd_epi32(
        _mm512_setzero_si512(), _mm512_set1_epi8(-128), bytes));
  }
  _mm_mask_storeu_epi32(
      starts, kExist,
      _mm_sub_epi32(_mm_setzero_si128(),
                    _mm_castps_si128(JoinLanes(sum_lanes, AddInts()))));
}

}  // namespace

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts) {
  const uint32_t num_groups = num_cols / group_size;
  if (group_size == 64) {
    constexpr decltype(&QuantizeGroups<1>) kQuantizers[4] = {
        QuantizeGroups<1>, QuantizeGroups<2>, QuantizeGroups<3>,
        QuantizeGroups<4>};
    for (uint32_t g = 0; g < num_groups; g += 4) {
      const uint32_t count = num_groups - g < 4 ? num_groups - g : 4;
      kQuantizers[count - 1](x + size_t{g} * 64, values + size_t{g} * 64,
                             scales + g, starts + g);
    }
    return;
  }
  for (uint32_t g = 0; g < num_groups; ++g) {
    const float* in = x + size_t{g} * group_size;
    int8_t* out = values + size_t{g} * group_size;
    __m512 largest_lanes = _mm512_setzero_ps();
    for (uint32_t i = 0; i < group_size; i += 16) {
      largest_lanes =
          _mm512_max_ps(largest_lanes, Abs(_mm512_loadu_ps(in + i)));
    }
    const float largest = _mm512_reduce_max_ps(largest_lanes);
    const bool is_zero = largest < kSmallestMagnitude;
    scales[g] = is_zero ? 0.0f : largest / 127.0f;
    const __m512 inverse = _mm512_set1_ps(is_zero ? 0.0f : 127.0f / largest);
    __m512i sum = _mm512_setzero_si512();
    for (uint32_t i = 0; i < group_size; i += 16) {
      const __m512i q =
          _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(in + i), inverse));
      sum = _mm512_add_epi32(sum, q);
      _mm_storeu_si128(reinterpret_cast<__m128i*>(out + i),
                       _mm512_cvtepi32_epi8(q));
    }
    starts[g] = -128 * _mm512_reduce_add_epi32(sum);
  }
}

void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y) {
  __m512 partial = _mm512_setzero_ps();
  for (uint32_t i = 0; i < dim; i += 16) {
    const __m512 v = _mm512_loadu_ps(x + i);
    partial = _mm512_add_ps(partial, _mm512_mul_ps(v, v));
  }
  const __m256 eight = _mm256_add_ps(_mm512_castps512_ps256(partial),
                                     _mm512_extractf32x8_ps(partial, 1));
  const __m512 inverse =
      _mm512_broadcastss_ps(avx2::InverseRms(eight, dim, eps));
  for (uint32_t i = 0; i < dim; i += 16) {
    _mm512_storeu_ps(
        y + i, _mm512_mul_ps(_mm512_mul_ps(_mm512_loadu_ps(x + i), inverse),
                             _mm512_loadu_ps(weight + i)));
  }
}

void SwiGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, SiluExponent());
}

void GeGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, GeluExponent());
}

namespace {

// What AttentionWeights gathers on the way from scores to p_j * scale_v_j.
struct WeightSums {
  __m512i denominators;
  __m512 largest;
};

template <int kCount>
inline void FoldScores(float* scores, const float* v_scales, __m512 max_score,
                       WeightSums& sums) {
  __m512 t[kCount], p[kCount];
  __mmask16 keep[kCount];
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    t[i] = _mm512_sub_ps(_mm512_loadu_ps(scores + 16 * i), max_score);
    keep[i] = _mm512_cmp_ps_mask(t[i], _mm512_set1_ps(kLowestAttentionExponent),
                                 _CMP_GE_OQ);
  }
  Exp2InRange<16>(t, keep, p);
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    sums.denominators =
        _mm512_add_epi32(sums.denominators, _mm512_cvtps_epi32(p[i]));
    const __m512 folded =
        _mm512_mul_ps(p[i], _mm512_loadu_ps(v_scales + 16 * i));
    sums.largest = _mm512_max_ps(sums.largest, folded);
    _mm512_storeu_ps(scores + 16 * i, folded);
  }
}

}  // namespace

float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo) {
  const __m512 max_score = _mm512_set1_ps(LargestOf(scores, num_positions));
  WeightSums sums = {_mm512_setzero_si512(), _mm512_setzero_ps()};
  uint32_t done = 0;
  for (; done + 64 <= num_positions; done += 64) {
    FoldScores<4>(scores + done, v_scales + done, max_score, sums);
  }
  for (; done < num_positions; done += 16) {
    FoldScores<1>(scores + done, v_scales + done, max_score, sums);
  }
  const float largest = _mm512_reduce_max_ps(sums.largest);
  const int32_t denominator = _mm512_reduce_add_epi32(sums.denominators);
  const __m512 factor = _mm512_set1_ps(
      largest == 0.0f ? 0.0f : kLargestAttentionWeight / largest);
  uint32_t j = 0;
  const __m512i in_order =
      _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
  const __m512i low_bits = _mm512_set1_epi16(127);
  for (; j + 64 <= num_positions; j += 64) {
    __m512i w[4];
    LLMA_UNROLL
    for (int i = 0; i < 4; ++i) {
      w[i] = _mm512_cvtps_epi32(
          _mm512_mul_ps(_mm512_loadu_ps(scores + j + 16 * i), factor));
    }
    const __m512i w01 = _mm512_packs_epi32(w[0], w[1]);
    const __m512i w23 = _mm512_packs_epi32(w[2], w[3]);
    const __m512i hi = _mm512_packs_epi16(_mm512_srli_epi16(w01, 7),
                                          _mm512_srli_epi16(w23, 7));
    const __m512i lo = _mm512_packs_epi16(_mm512_and_si512(w01, low_bits),
                                          _mm512_and_si512(w23, low_bits));
    _mm512_storeu_si512(weights_hi + j, _mm512_permutexvar_epi32(in_order, hi));
    _mm512_storeu_si512(weights_lo + j, _mm512_permutexvar_epi32(in_order, lo));
  }
  for (; j < num_positions; j += 16) {
    const __m512i w =
        _mm512_cvtps_epi32(_mm512_mul_ps(_mm512_loadu_ps(scores + j), factor));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(weights_hi + j),
                     _mm512_cvtepi32_epi8(_mm512_srli_epi32(w, 7)));
    _mm_storeu_si128(
        reinterpret_cast<__m128i*>(weights_lo + j),
        _mm512_cvtepi32_epi8(_mm512_and_si512(w, _mm512_set1_epi32(127))));
  }
  return (largest / kLargestAttentionWeight) / static_cast<float>(denominator);
}

void JoinValueSums(const int32_t* sums_hi, const int32_t* sums_lo, float scale,
                   uint32_t size, float* out) {
  for (uint32_t d = 0; d < size; d += 16) {
    const __m512 hi = _mm512_cvtepi32_ps(_mm512_loadu_si512(sums_hi + d));
    const __m512 lo = _mm512_cvtepi32_ps(_mm512_loadu_si512(sums_lo + d));
    const __m512 sum =
        _mm512_add_ps(_mm512_mul_ps(hi, _mm512_set1_ps(128.0f)), lo);
    _mm512_storeu_ps(out + d, _mm512_mul_ps(sum, _mm512_set1_ps(scale)));
  }
}

namespace {

// The weights of 16 * kCount tokens, of which the first `size` exist; adds them
// to the eight sums.
template <int kCount>
inline void WeighTokens(const float* logits, uint32_t size, __m512 max_logit,
                        uint32_t* weights, __m512i& sums) {
  __m512 t[kCount], p[kCount];
  __mmask16 exists[kCount];
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    exists[i] = kCount == 1 ? FirstLanes(size) : __mmask16{0xffff};
    const __m512 logit = _mm512_maskz_loadu_ps(exists[i], logits + 16 * i);
    // What is below 2^-40 weighs 1, as 2^-40 does.
    t[i] = _mm512_max_ps(
        _mm512_mul_ps(_mm512_sub_ps(logit, max_logit), _mm512_set1_ps(kLog2E)),
        _mm512_set1_ps(-40.0f));
  }
  Exp2InRange<30>(t, exists, p);
  const __m512i low_half = _mm512_set1_epi64(0xffffffff);
  LLMA_UNROLL
  for (int i = 0; i < kCount; ++i) {
    const __m512i weight = _mm512_maskz_add_epi32(
        exists[i], _mm512_set1_epi32(1), _mm512_cvttps_epi32(p[i]));
    _mm512_mask_storeu_epi32(weights + 16 * i, exists[i], weight);
    sums = _mm512_add_epi64(sums, _mm512_and_si512(weight, low_half));
    sums = _mm512_add_epi64(sums, _mm512_srli_epi64(weight, 32));
  }
}

}  // namespace

void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums) {
  static_assert(kTokenBlock == 64);
  const __m512 max_logit = _mm512_set1_ps(LargestOf(logits, num_tokens));
  for (uint32_t block = 0; block < num_tokens; block += kTokenBlock) {
    __m512i sums = _mm512_setzero_si512();  // 8 x uint64
    if (block + kTokenBlock <= num_tokens) {
      WeighTokens<4>(logits + block, kTokenBlock, max_logit, weights + block,
                     sums);
    } else {
      for (uint32_t v = block; v < num_tokens; v += 16) {
        WeighTokens<1>(logits + v, num_tokens - v, max_logit, weights + v,
                       sums);
      }
    }
    block_sums[block / kTokenBlock] =
        static_cast<uint64_t>(_mm512_reduce_add_epi64(sums));
  }
}

}  // namespace llma::kernels::avx512

LLMA_TARGET_END
#endif  // defined(__x86_64__)
