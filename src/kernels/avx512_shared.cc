// SPDX-License-Identifier: Apache-2.0
// Kernels for AVX-512 (F, BW, DQ, VL, VNNI) other than matrix products.
#include "kernels/avx512_shared.h"

#if defined(__x86_64__)
#include "kernels/avx2_shared.h"
#include "kernels/avx512_intrinsics.h"
#include "kernels/target_region.h"
#include "numerics/exact_math.h"

LLMA_TARGET_BEGIN("avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")

namespace llma::kernels::avx512 {
namespace {

// elementwise-inl.h says what each does.
struct V {
  static constexpr int kLanes = 16;
  static constexpr bool kPowersUnderflow = true;
  using F = __m512;
  using I = __m512i;
  using M = __mmask16;
  using Sums = __m512i;  // 8 uint64

  static F Set(float x) { return _mm512_set1_ps(x); }
  static I SetInt(int32_t x) { return _mm512_set1_epi32(x); }
  static F Load(const float* p) { return _mm512_loadu_ps(p); }
  static I LoadInts(const int32_t* p) { return _mm512_loadu_si512(p); }
  static void Store(float* p, F v) { _mm512_storeu_ps(p, v); }
  static void StoreInts(uint32_t* p, I v) { _mm512_storeu_si512(p, v); }
  static M First(uint32_t n) {
    return n >= 16 ? M{0xffff} : static_cast<M>((1u << n) - 1);
  }
  static F LoadFirst(const float* p, uint32_t n, float fill) {
    return _mm512_mask_loadu_ps(Set(fill), First(n), p);
  }
  static void StoreFirst(float* p, uint32_t n, F v) {
    _mm512_mask_storeu_ps(p, First(n), v);
  }
  static void StoreFirstInts(uint32_t* p, uint32_t n, I v) {
    _mm512_mask_storeu_epi32(p, First(n), v);
  }

  static F Add(F a, F b) { return _mm512_add_ps(a, b); }
  static F Sub(F a, F b) { return _mm512_sub_ps(a, b); }
  static F Mul(F a, F b) { return _mm512_mul_ps(a, b); }
  static F Div(F a, F b) { return _mm512_div_ps(a, b); }
  static F Min(F a, F b) { return _mm512_min_ps(a, b); }
  static F Max(F a, F b) { return _mm512_max_ps(a, b); }
  static F Abs(F x) { return _mm512_abs_ps(x); }
  static F Negate(F x) { return _mm512_xor_ps(x, Set(-0.0f)); }
  static M Ge(F a, F b) { return _mm512_cmp_ps_mask(a, b, _CMP_GE_OQ); }
  static F Keep(M m, F v) { return _mm512_maskz_mov_ps(m, v); }
  static F Select(M m, F a, F b) { return _mm512_mask_mov_ps(b, m, a); }

  // The fraction, and so its difference from t, is exact.
  static void Split(F t, F& n, F& f) {
    f = _mm512_reduce_ps(t, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
    n = Sub(t, f);
  }
  static F TimesPowerOfTwo(F p, F n) { return _mm512_scalef_ps(p, n); }
  static I Round(F x) { return _mm512_cvtps_epi32(x); }
  static I Truncate(F x) { return _mm512_cvttps_epi32(x); }
  static F ToFloat(I x) { return _mm512_cvtepi32_ps(x); }
  static I AddInts(I a, I b) { return _mm512_add_epi32(a, b); }
  static I LoadQuads(const int8_t* p) { return _mm512_loadu_si512(p); }
  template <int kByte>
  static I SignedByte(I v) {
    return _mm512_srai_epi32(_mm512_slli_epi32(v, 24 - 8 * kByte), 24);
  }
  static I KeepFirst(uint32_t n, I v) {
    return _mm512_maskz_mov_epi32(First(n), v);
  }

  static void StoreBytes(void* p, I v) {
    _mm_storeu_si128(static_cast<__m128i*>(p), _mm512_cvtepi32_epi8(v));
  }
  static void StoreBytes(int8_t* p, const I (&v)[1]) { StoreBytes(p, v[0]); }
  static void StoreHalves(uint8_t* hi, uint8_t* lo, const I (&v)[1]) {
    StoreBytes(hi, _mm512_srli_epi32(v[0], 7));
    StoreBytes(lo, _mm512_and_si512(v[0], SetInt(127)));
  }
  static void StoreHalves(uint8_t* hi, uint8_t* lo, const I (&v)[4]) {
    const I low_bits = _mm512_set1_epi16(127);
    const I v01 = _mm512_packs_epi32(v[0], v[1]);
    const I v23 = _mm512_packs_epi32(v[2], v[3]);
    _mm512_storeu_si512(hi,
                        InOrder(_mm512_packs_epi16(_mm512_srli_epi16(v01, 7),
                                                   _mm512_srli_epi16(v23, 7))));
    _mm512_storeu_si512(
        lo, InOrder(_mm512_packs_epi16(_mm512_and_si512(v01, low_bits),
                                       _mm512_and_si512(v23, low_bits))));
  }
  // Packing leaves four bytes of each vector in each quarter.
  static I InOrder(I packed) {
    return _mm512_permutexvar_epi32(
        _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15),
        packed);
  }

  static Sums ZeroSums() { return _mm512_setzero_si512(); }
  static void AddToSums(Sums& sums, I v) {
    const I low_half = _mm512_set1_epi64(0xffffffff);
    sums = _mm512_add_epi64(sums, _mm512_and_si512(v, low_half));
    sums = _mm512_add_epi64(sums, _mm512_srli_epi64(v, 32));
  }
  static uint64_t SumOfSums(Sums sums) {
    return static_cast<uint64_t>(_mm512_reduce_add_epi64(sums));
  }
  static float LargestLane(F v) { return _mm512_reduce_max_ps(v); }
  static int32_t SumOfLanes(I v) { return _mm512_reduce_add_epi32(v); }
  static float TreeSum(F v) {
    const __m256 eight =
        _mm256_add_ps(_mm512_castps512_ps256(v), _mm512_extractf32x8_ps(v, 1));
    const __m128 four = _mm_add_ps(_mm256_castps256_ps128(eight),
                                   _mm256_extractf128_ps(eight, 1));
    const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
  }
  static float Sqrt(float x) {
    return _mm_cvtss_f32(_mm_sqrt_ss(_mm_set_ss(x)));
  }
  static F SqrtAll(F x) { return _mm512_sqrt_ps(x); }
  static void KeepTogether(F (&v)[4]) {
    __asm__("" : "+v"(v[0]), "+v"(v[1]), "+v"(v[2]), "+v"(v[3]));
  }
};

}  // namespace

#include "kernels/elementwise-inl.h"
#include "kernels/learning-inl.h"

namespace {

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
    largest_lanes[g] =
        _mm512_max_ps(_mm512_max_ps(_mm512_abs_ps(_mm512_loadu_ps(in)),
                                    _mm512_abs_ps(_mm512_loadu_ps(in + 16))),
                      _mm512_max_ps(_mm512_abs_ps(_mm512_loadu_ps(in + 32)),
                                    _mm512_abs_ps(_mm512_loadu_ps(in + 48))));
  }
  const __m128 largest = JoinLanes(largest_lanes, Max());
  const __mmask8 not_zero =
      _mm_cmp_ps_mask(largest, _mm_set1_ps(kSmallestMagnitude), _CMP_GE_OQ);
  const __m128 most = _mm_set1_ps(127.0f);
  _mm_mask_storeu_ps(scales, kExist, _mm_maskz_div_ps(not_zero, largest, most));
  const __m512 inverses =
      _mm512_castps128_ps512(_mm_maskz_div_ps(not_zero, most, largest));
  for (int g = 0; g < kGroups; ++g) {
    const __m512 inverse =
        _mm512_permutexvar_ps(_mm512_set1_epi32(g), inverses);
    __m512i q[4];
    for (int i = 0; i < 4; ++i) {
      q[i] = _mm512_cvtps_epi32(
          _mm512_mul_ps(_mm512_loadu_ps(x + 64 * g + 16 * i), inverse));
    }
    const __m512i bytes = V::InOrder(_mm512_packs_epi16(
        _mm512_packs_epi32(q[0], q[1]), _mm512_packs_epi32(q[2], q[3])));
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
  if (group_size != 64) {
    QuantizeGroupByGroup(x, num_cols, group_size, values, scales, starts);
    return;
  }
  constexpr decltype(&QuantizeGroups<1>) kQuantizers[4] = {
      QuantizeGroups<1>, QuantizeGroups<2>, QuantizeGroups<3>,
      QuantizeGroups<4>};
  const uint32_t num_groups = num_cols / 64;
  for (uint32_t g = 0; g < num_groups; g += 4) {
    const uint32_t count = num_groups - g < 4 ? num_groups - g : 4;
    kQuantizers[count - 1](x + size_t{g} * 64, values + size_t{g} * 64,
                           scales + g, starts + g);
  }
}

}  // namespace llma::kernels::avx512

LLMA_TARGET_END
#endif  // defined(__x86_64__)
