// SPDX-License-Identifier: Apache-2.0
// Kernels for AVX2 that have no int8 products.
#include "kernels/avx2_shared.h"

#if defined(__x86_64__)
#include <immintrin.h>

#include <cstring>

#include "kernels/target_region.h"
#include "numerics/exact_math.h"

LLMA_TARGET_BEGIN("avx2")

namespace llma::kernels::avx2 {
namespace {

// elementwise-inl.h says what each does.
struct V {
  static constexpr int kLanes = 8;
  static constexpr bool kPowersUnderflow = false;
  using F = __m256;
  using I = __m256i;
  using M = __m256;      // all ones or zeros
  using Sums = __m256i;  // 4 uint64

  static F Set(float x) { return _mm256_set1_ps(x); }
  static I SetInt(int32_t x) { return _mm256_set1_epi32(x); }
  static F Load(const float* p) { return _mm256_loadu_ps(p); }
  static I LoadInts(const int32_t* p) { return avx2::Load(p); }
  static void Store(float* p, F v) { _mm256_storeu_ps(p, v); }
  static void StoreInts(uint32_t* p, I v) { avx2::Store(p, v); }
  // All ones in the first n lanes.
  static I First(uint32_t n) {
    return _mm256_cmpgt_epi32(SetInt(n < 8 ? static_cast<int32_t>(n) : 8),
                              _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
  }
  static F LoadFirst(const float* p, uint32_t n, float fill) {
    const I first = First(n);
    return _mm256_blendv_ps(Set(fill), _mm256_maskload_ps(p, first),
                            _mm256_castsi256_ps(first));
  }
  static void StoreFirst(float* p, uint32_t n, F v) {
    _mm256_maskstore_ps(p, First(n), v);
  }
  static void StoreFirstInts(uint32_t* p, uint32_t n, I v) {
    _mm256_maskstore_epi32(reinterpret_cast<int*>(p), First(n), v);
  }

  static F Add(F a, F b) { return _mm256_add_ps(a, b); }
  static F Sub(F a, F b) { return _mm256_sub_ps(a, b); }
  static F Mul(F a, F b) { return _mm256_mul_ps(a, b); }
  static F Div(F a, F b) { return _mm256_div_ps(a, b); }
  static F Min(F a, F b) { return _mm256_min_ps(a, b); }
  static F Max(F a, F b) { return _mm256_max_ps(a, b); }
  static F Abs(F x) { return _mm256_andnot_ps(Set(-0.0f), x); }
  static F Negate(F x) { return _mm256_xor_ps(x, Set(-0.0f)); }
  static M Ge(F a, F b) { return _mm256_cmp_ps(a, b, _CMP_GE_OQ); }
  static F Keep(M m, F v) { return _mm256_and_ps(m, v); }
  static F Select(M m, F a, F b) { return _mm256_blendv_ps(b, a, m); }

  static void Split(F t, F& n, F& f) {
    n = _mm256_round_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    f = Sub(t, n);
  }
  // Adds n to the exponent.
  static F TimesPowerOfTwo(F p, F n) {
    return _mm256_castsi256_ps(_mm256_add_epi32(
        _mm256_castps_si256(p), _mm256_slli_epi32(Round(n), 23)));
  }
  static I Round(F x) { return _mm256_cvtps_epi32(x); }
  static I Truncate(F x) { return _mm256_cvttps_epi32(x); }
  static F ToFloat(I x) { return _mm256_cvtepi32_ps(x); }
  static I AddInts(I a, I b) { return _mm256_add_epi32(a, b); }
  static I LoadQuads(const int8_t* p) {
    return _mm256_loadu_si256(reinterpret_cast<const __m256i*>(p));
  }
  template <int kByte>
  static I SignedByte(I v) {
    return _mm256_srai_epi32(_mm256_slli_epi32(v, 24 - 8 * kByte), 24);
  }
  static I KeepFirst(uint32_t n, I v) { return _mm256_and_si256(First(n), v); }

  // The low bytes of 8 int32 in [-128, 127].
  static void StoreBytes(void* p, I v) {
    const __m128i words = _mm_packs_epi32(_mm256_castsi256_si128(v),
                                          _mm256_extracti128_si256(v, 1));
    _mm_storel_epi64(static_cast<__m128i*>(p), _mm_packs_epi16(words, words));
  }
  static void StoreBytes(int8_t* p, const I (&v)[2]) {
    StoreBytes(p, v[0]);
    StoreBytes(p + 8, v[1]);
  }
  template <int kCount>
  static void StoreHalves(uint8_t* hi, uint8_t* lo, const I (&v)[kCount]) {
    LLMA_UNROLL
    for (int i = 0; i < kCount; ++i) {
      StoreBytes(hi + 8 * i, _mm256_srli_epi32(v[i], 7));
      StoreBytes(lo + 8 * i, _mm256_and_si256(v[i], SetInt(127)));
    }
  }

  static Sums ZeroSums() { return _mm256_setzero_si256(); }
  static void AddToSums(Sums& sums, I v) {
    const I low_half = _mm256_set1_epi64x(0xffffffff);
    sums = _mm256_add_epi64(sums, _mm256_and_si256(v, low_half));
    sums = _mm256_add_epi64(sums, _mm256_srli_epi64(v, 32));
  }
  static uint64_t SumOfSums(Sums sums) {
    const __m128i two = _mm_add_epi64(_mm256_castsi256_si128(sums),
                                      _mm256_extracti128_si256(sums, 1));
    return static_cast<uint64_t>(
        _mm_cvtsi128_si64(_mm_add_epi64(two, _mm_unpackhi_epi64(two, two))));
  }
  static float LargestLane(F v) {
    __m128 m =
        _mm_max_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    m = _mm_max_ps(m, _mm_movehl_ps(m, m));
    return _mm_cvtss_f32(_mm_max_ss(m, _mm_movehdup_ps(m)));
  }
  static int32_t SumOfLanes(I v) {
    __m128i s = _mm_add_epi32(_mm256_castsi256_si128(v),
                              _mm256_extracti128_si256(v, 1));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0x4e));
    s = _mm_add_epi32(s, _mm_shuffle_epi32(s, 0xb1));
    return _mm_cvtsi128_si32(s);
  }
  static float TreeSum(F v) {
    const __m128 four =
        _mm_add_ps(_mm256_castps256_ps128(v), _mm256_extractf128_ps(v, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float Sqrt(float x) {
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
  }
  static F SqrtAll(F x) { return _mm256_sqrt_ps(x); }
  static void KeepTogether(F (&v)[4]) {
    __asm__("" : "+x"(v[0]), "+x"(v[1]), "+x"(v[2]), "+x"(v[3]));
  }
};

}  // namespace

#include "kernels/elementwise-inl.h"
#include "kernels/learning-inl.h"

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts) {
  QuantizeGroupByGroup(x, num_cols, group_size, values, scales, starts);
}

}  // namespace llma::kernels::avx2

LLMA_TARGET_END
#endif  // defined(__x86_64__)
