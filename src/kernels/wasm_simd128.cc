// SPDX-License-Identifier: Apache-2.0
// Kernels for WebAssembly with vectors of 128 bits. Each function equals its
// namesake in numerics/reference_ops.h; comments here only say how, never what.
// There is no fused multiply-add, and no product of int8: both factors are
// widened to int16, of which two neighbours are multiplied and added. All of
// the set is in one file: other sets share nothing of it but elementwise-inl.h.
#if defined(__wasm_simd128__)
#include <wasm_simd128.h>

#include <cstring>

#include "kernels/kernel_sets.h"
#include "kernels/target_region.h"
#include "numerics/exact_math.h"

namespace llma::kernels::wasm {
namespace {

#include "kernels/partial-vectors-inl.h"

// elementwise-inl.h says what each does.
struct V : PartialVectors<V> {
  static constexpr int kLanes = 4;
  static constexpr bool kPowersUnderflow = false;
  struct F {
    v128_t v;
  };
  struct I {
    v128_t v;
  };
  struct M {
    v128_t v;
  };
  struct Sums {
    v128_t v;
  };

  static F Set(float x) { return {wasm_f32x4_splat(x)}; }
  static I SetInt(int32_t x) { return {wasm_i32x4_splat(x)}; }
  static F Load(const float* p) { return {wasm_v128_load(p)}; }
  static I LoadInts(const int32_t* p) { return {wasm_v128_load(p)}; }
  static void Store(float* p, F a) { wasm_v128_store(p, a.v); }
  static void StoreInts(uint32_t* p, I a) { wasm_v128_store(p, a.v); }

  static F Add(F a, F b) { return {wasm_f32x4_add(a.v, b.v)}; }
  static F Sub(F a, F b) { return {wasm_f32x4_sub(a.v, b.v)}; }
  static F Mul(F a, F b) { return {wasm_f32x4_mul(a.v, b.v)}; }
  static F Div(F a, F b) { return {wasm_f32x4_div(a.v, b.v)}; }
  static F Min(F a, F b) { return {wasm_f32x4_pmin(a.v, b.v)}; }
  static F Max(F a, F b) { return {wasm_f32x4_pmax(a.v, b.v)}; }
  static F Abs(F a) { return {wasm_f32x4_abs(a.v)}; }
  static F Negate(F a) { return {wasm_f32x4_neg(a.v)}; }
  static M Ge(F a, F b) { return {wasm_f32x4_ge(a.v, b.v)}; }
  static F Keep(M m, F a) { return {wasm_v128_and(m.v, a.v)}; }
  static F Select(M m, F a, F b) {
    return {wasm_v128_bitselect(a.v, b.v, m.v)};
  }

  static void Split(F t, F& n, F& f) {
    n = {wasm_f32x4_nearest(t.v)};
    f = Sub(t, n);
  }
  // Adds n to the exponent.
  static F TimesPowerOfTwo(F p, F n) {
    return {wasm_i32x4_add(p.v, wasm_i32x4_shl(Truncate(n).v, 23))};
  }
  static I Round(F x) { return Truncate({wasm_f32x4_nearest(x.v)}); }
  static I Truncate(F x) { return {wasm_i32x4_trunc_sat_f32x4(x.v)}; }
  static F ToFloat(I x) { return {wasm_f32x4_convert_i32x4(x.v)}; }
  static I AddInts(I a, I b) { return {wasm_i32x4_add(a.v, b.v)}; }
  static I LoadQuads(const int8_t* p) { return {wasm_v128_load(p)}; }
  template <int kByte>
  static I SignedByte(I a) {
    return {wasm_i32x4_shr(wasm_i32x4_shl(a.v, 24 - 8 * kByte), 24)};
  }
  static I KeepFirst(uint32_t n, I a) {
    const v128_t idx = wasm_i32x4_const(0, 1, 2, 3);
    const v128_t limit = wasm_i32x4_splat(static_cast<int32_t>(n));
    return {wasm_v128_and(wasm_u32x4_lt(idx, limit), a.v)};
  }

  // Of 16 int32 in [-128, 127].
  static v128_t Bytes(const I (&a)[4]) {
    return wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(a[0].v, a[1].v),
                                   wasm_i16x8_narrow_i32x4(a[2].v, a[3].v));
  }
  static void StoreBytes(int8_t* p, const I (&a)[4]) {
    wasm_v128_store(p, Bytes(a));
  }
  static void StoreHalves(uint8_t* hi, uint8_t* lo, const I (&a)[4]) {
    I high[4], low[4];
    for (int i = 0; i < 4; ++i) {
      high[i] = {wasm_i32x4_shr(a[i].v, 7)};
      low[i] = {wasm_v128_and(a[i].v, wasm_i32x4_splat(127))};
    }
    wasm_v128_store(hi, Bytes(high));
    wasm_v128_store(lo, Bytes(low));
  }

  static Sums ZeroSums() { return {wasm_i64x2_splat(0)}; }
  static void AddToSums(Sums& sums, I a) {
    sums.v = wasm_i64x2_add(sums.v,
                            wasm_i64x2_add(wasm_u64x2_extend_low_u32x4(a.v),
                                           wasm_u64x2_extend_high_u32x4(a.v)));
  }
  static uint64_t SumOfSums(Sums sums) {
    return static_cast<uint64_t>(wasm_i64x2_extract_lane(sums.v, 0)) +
           static_cast<uint64_t>(wasm_i64x2_extract_lane(sums.v, 1));
  }
  // Lanes 2, 3 beside 0, 1, then lane 1 beside lane 0.
  static v128_t UpperHalf(v128_t a) {
    return wasm_i32x4_shuffle(a, a, 2, 3, 0, 1);
  }
  static v128_t Odd(v128_t a) { return wasm_i32x4_shuffle(a, a, 1, 0, 3, 2); }
  static float LargestLane(F a) {
    const v128_t two = wasm_f32x4_pmax(a.v, UpperHalf(a.v));
    return wasm_f32x4_extract_lane(wasm_f32x4_pmax(two, Odd(two)), 0);
  }
  static int32_t SumOfLanes(I a) {
    const v128_t two = wasm_i32x4_add(a.v, UpperHalf(a.v));
    return wasm_i32x4_extract_lane(wasm_i32x4_add(two, Odd(two)), 0);
  }
  static float TreeSum(F a) {
    const v128_t two = wasm_f32x4_add(a.v, UpperHalf(a.v));
    return wasm_f32x4_extract_lane(two, 0) + wasm_f32x4_extract_lane(two, 1);
  }
  static float Sqrt(float x) { return __builtin_sqrtf(x); }
  static F SqrtAll(F a) { return {wasm_f32x4_sqrt(a.v)}; }
  static void KeepTogether(F (&)[4]) {}
};

}  // namespace

#include "kernels/elementwise-inl.h"
#include "kernels/learning-inl.h"

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts) {
  QuantizeGroupByGroup(x, num_cols, group_size, values, scales, starts);
}

namespace {

// Half a panel at a time: with a whole one there would be too few registers.
constexpr int kHalfRows = kPanelRows / 2;
// Of quads: a vector of sums holds two for each of two rows.
constexpr int kVectors = kHalfRows / 2;

// Eight int8 as int16.
inline v128_t Widen(const int8_t* p) { return wasm_i16x8_load8x8(p); }

// Four int16, twice.
inline v128_t TwiceFour(const int16_t* p) { return wasm_v128_load64_splat(p); }

// The sums of neighbours of a and of b.
inline v128_t PairSums(v128_t a, v128_t b) {
  return wasm_i32x4_add(wasm_i32x4_shuffle(a, b, 0, 2, 4, 6),
                        wasm_i32x4_shuffle(a, b, 1, 3, 5, 7));
}

// Adds to `dots` the products of kRows rows of x with half a panel over
// `num_cols` (a multiple of 4) columns.
//   x[r]: row r, widened; w: the half panel at the first column
template <int kRows>
[[gnu::always_inline]] inline void AddDots(const int16_t* const (&x)[kRows],
                                           const int8_t* w, uint32_t num_cols,
                                           v128_t (&dots)[kRows][kVectors]) {
  for (uint32_t c = 0; c < num_cols; c += 4) {
    v128_t quads[kRows];
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) quads[r] = TwiceFour(x[r] + c);
    LLMA_UNROLL
    for (int p = 0; p < kVectors; ++p) {
      const v128_t weights = Widen(w + size_t{c} * kPanelRows + 8 * p);
      LLMA_UNROLL
      for (int r = 0; r < kRows; ++r) {
        dots[r][p] =
            wasm_i32x4_add(dots[r][p], wasm_i32x4_dot_i16x8(weights, quads[r]));
      }
    }
  }
}

template <int kRows>
[[gnu::always_inline]] inline void DotTile(const int16_t* const (&x)[kRows],
                                           const int8_t* w, uint32_t num_cols,
                                           v128_t (&dots)[kRows][kVectors]) {
  LLMA_UNROLL
  for (int r = 0; r < kRows; ++r) {
    LLMA_UNROLL
    for (int p = 0; p < kVectors; ++p) dots[r][p] = wasm_i32x4_splat(0);
  }
  AddDots<kRows>(x, w, num_cols, dots);
}

inline void WidenValues(const int8_t* values, uint32_t count, int16_t* to) {
  for (uint32_t i = 0; i < count; i += 8) {
    wasm_v128_store(to + i, Widen(values + i));
  }
}

// Rows of x whose sums, beside the widened group, stay in the first cache while
// a panel passes.
constexpr uint32_t kBlockRows = 48;

struct Block {
  // [row, kGroupSize]
  alignas(16) int16_t x[kBlockRows * kGroupSize];
  alignas(16) float sums[kBlockRows][kPanelRows];
};

// Adds one group's products of kRows rows from `row` of the block with half a
// panel to their sums.
template <int kRows>
void AddGroup(Block& block, uint32_t row, const int8_t* w,
              const float* w_scales, const float* x_scales,
              uint32_t x_scale_stride, int half) {
  const int16_t* x[kRows];
  for (int r = 0; r < kRows; ++r) x[r] = block.x + (row + r) * kGroupSize;
  v128_t dots[kRows][kVectors];
  DotTile<kRows>(x, w, kGroupSize, dots);
  for (int p = 0; p < kVectors; p += 2) {
    const v128_t w_scale = wasm_v128_load(w_scales + 2 * p);
    LLMA_UNROLL
    for (int r = 0; r < kRows; ++r) {
      const v128_t sums = PairSums(dots[r][p], dots[r][p + 1]);
      const v128_t scaled =
          wasm_f32x4_mul(wasm_f32x4_convert_i32x4(sums), w_scale);
      const v128_t x_scale =
          wasm_v128_load32_splat(x_scales + size_t{row + r} * x_scale_stride);
      float* to = block.sums[row + r] + half * kHalfRows + 2 * p;
      wasm_v128_store(to, wasm_f32x4_add(wasm_v128_load(to),
                                         wasm_f32x4_mul(scaled, x_scale)));
    }
  }
}

// Group g of a whole panel.
void AddGroups(Block& block, uint32_t num_rows, const int8_t* w,
               const float* w_scales, const float* x_scales,
               uint32_t x_scale_stride) {
  for (int half = 0; half < 2; ++half) {
    // The halves of a quad of columns lie beside each other.
    const int8_t* half_w = w + half * kHalfRows * 4;
    const float* half_scales = w_scales + half * kHalfRows;
    uint32_t row = 0;
    for (; row + 3 <= num_rows; row += 3) {
      AddGroup<3>(block, row, half_w, half_scales, x_scales, x_scale_stride,
                  half);
    }
    if (row + 2 == num_rows) {
      AddGroup<2>(block, row, half_w, half_scales, x_scales, x_scale_stride,
                  half);
    } else if (row < num_rows) {
      AddGroup<1>(block, row, half_w, half_scales, x_scales, x_scale_stride,
                  half);
    }
  }
}

}  // namespace

void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  Block block;
  const uint32_t num_groups = w.num_groups();
  for (uint32_t first = 0; first < x.num_rows; first += kBlockRows) {
    const uint32_t left = x.num_rows - first;
    const uint32_t num_rows = left < kBlockRows ? left : kBlockRows;
    for (uint32_t panel = panel_begin; panel < panel_end; ++panel) {
      std::memset(block.sums, 0, num_rows * sizeof(block.sums[0]));
      for (uint32_t g = 0; g < num_groups; ++g) {
        for (uint32_t r = 0; r < num_rows; ++r) {
          WidenValues(
              x.values + size_t{first + r} * x.num_cols + g * kGroupSize,
              kGroupSize, block.x + r * kGroupSize);
        }
        AddGroups(block, num_rows,
                  w.values + size_t{panel} * kPanelRows * w.num_cols +
                      size_t{g} * kPanelRows * kGroupSize,
                  w.scales + (size_t{panel} * num_groups + g) * kPanelRows,
                  x.scales + size_t{first} * num_groups + g, num_groups);
      }
      for (uint32_t r = 0; r < num_rows; ++r) {
        std::memcpy(
            y + size_t{first + r} * y_stride + size_t{panel} * kPanelRows,
            block.sums[r], sizeof(block.sums[r]));
      }
    }
  }
}

namespace {

constexpr uint32_t kMaxHeadDim = 256;

template <int kRows>
void ScoreTile(const KeyPanels& keys, uint32_t panel, const QuantizedRows& q,
               const int16_t* wide_q, uint32_t row, float* scores,
               size_t stride) {
  const int16_t* q_rows[kRows];
  for (int r = 0; r < kRows; ++r) q_rows[r] = wide_q + r * kMaxHeadDim;
  for (int half = 0; half < 2; ++half) {
    const size_t from =
        size_t{panel} * kPanelRows * keys.head_dim + half * kHalfRows * 4;
    v128_t dots[kRows][kVectors];
    DotTile<kRows>(q_rows, keys.values + from, keys.head_dim, dots);
    if (keys.low_values != nullptr) {
      for (int r = 0; r < kRows; ++r) {
        for (int p = 0; p < kVectors; ++p) {
          dots[r][p] = wasm_i32x4_shl(dots[r][p], 7);
        }
      }
      AddDots<kRows>(q_rows, keys.low_values + from, keys.head_dim, dots);
    }
    const size_t pos = size_t{panel} * kPanelRows + half * kHalfRows;
    for (int p = 0; p < kVectors; p += 2) {
      const v128_t k_scale = wasm_v128_load(keys.scales + pos + 2 * p);
      for (int r = 0; r < kRows; ++r) {
        const v128_t scaled = wasm_f32x4_mul(
            wasm_f32x4_convert_i32x4(PairSums(dots[r][p], dots[r][p + 1])),
            k_scale);
        wasm_v128_store(
            scores + (row + r) * stride + pos + 2 * p,
            wasm_f32x4_mul(scaled, wasm_f32x4_splat(q.scales[row + r])));
      }
    }
  }
}

template <int kRows>
void ScoreRows(const KeyPanels& keys, const QuantizedRows& q, uint32_t row,
               float* scores, size_t stride) {
  int16_t wide_q[kRows * kMaxHeadDim];
  for (uint32_t r = 0; r < kRows; ++r) {
    WidenValues(q.values + size_t{row + r} * q.num_cols, q.num_cols,
                wide_q + r * kMaxHeadDim);
  }
  for (uint32_t panel = 0; panel < keys.num_panels; ++panel) {
    ScoreTile<kRows>(keys, panel, q, wide_q, row, scores, stride);
  }
}

}  // namespace

void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t stride) {
  uint32_t row = 0;
  for (; row + 3 <= q.num_rows; row += 3) {
    ScoreRows<3>(keys, q, row, scores, stride);
  }
  for (; row < q.num_rows; ++row) ScoreRows<1>(keys, q, row, scores, stride);
}

namespace {

// Four weights of consecutive positions as int16, twice. They are at most 127,
// so they may count as signed.
inline v128_t TwiceFourWeights(const uint8_t* weights) {
  return wasm_i16x8_extend_low_i8x16(wasm_v128_load32_splat(weights));
}

// kQueries queries, 8 dims starting at dim.
template <int kQueries>
void ValueTile(const ValuePanels& v, const uint8_t* weights_hi,
               const uint8_t* weights_lo, size_t weights_stride, uint32_t query,
               uint32_t dim, int32_t* sums_hi, int32_t* sums_lo) {
  v128_t hi[kQueries][kVectors], lo[kQueries][kVectors];
  LLMA_UNROLL
  for (int i = 0; i < kQueries; ++i) {
    LLMA_UNROLL
    for (int p = 0; p < kVectors; ++p) {
      hi[i][p] = lo[i][p] = wasm_i32x4_splat(0);
    }
  }
  for (uint32_t pos = 0; pos < v.num_positions; pos += 4) {
    const int8_t* quads = v.values + size_t{pos} * v.head_dim + size_t{dim} * 4;
    v128_t w_hi[kQueries], w_lo[kQueries];
    LLMA_UNROLL
    for (int i = 0; i < kQueries; ++i) {
      const size_t idx = size_t{query + i} * weights_stride + pos;
      w_hi[i] = TwiceFourWeights(weights_hi + idx);
      w_lo[i] = TwiceFourWeights(weights_lo + idx);
    }
    LLMA_UNROLL
    for (int p = 0; p < kVectors; ++p) {
      const v128_t values = Widen(quads + 8 * p);
      LLMA_UNROLL
      for (int i = 0; i < kQueries; ++i) {
        hi[i][p] =
            wasm_i32x4_add(hi[i][p], wasm_i32x4_dot_i16x8(values, w_hi[i]));
        lo[i][p] =
            wasm_i32x4_add(lo[i][p], wasm_i32x4_dot_i16x8(values, w_lo[i]));
      }
    }
  }
  for (int i = 0; i < kQueries; ++i) {
    for (int p = 0; p < kVectors; p += 2) {
      const size_t idx = size_t{query + i} * v.head_dim + dim + 2 * p;
      const auto add = [](v128_t a, v128_t b, int32_t* to) {
        wasm_v128_store(to, wasm_i32x4_add(wasm_v128_load(to), PairSums(a, b)));
      };
      add(hi[i][p], hi[i][p + 1], sums_hi + idx);
      add(lo[i][p], lo[i][p + 1], sums_lo + idx);
    }
  }
}

}  // namespace

void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo) {
  for (uint32_t dim = 0; dim < v.head_dim; dim += kHalfRows) {
    for (uint32_t query = 0; query < num_queries; ++query) {
      ValueTile<1>(v, weights_hi, weights_lo, weights_stride, query, dim,
                   sums_hi, sums_lo);
    }
  }
}

namespace {

// Eight weights in the order of MixerWeightPlace: their upper halves, as int16
// in the order of the inputs. `first` and `second` are eight places apart.
inline v128_t UpperHalves(v128_t first, v128_t second) {
  return wasm_i16x8_shuffle(first, second, 1, 3, 5, 7, 9, 11, 13, 15);
}

inline v128_t AddClamped(v128_t weights, v128_t step, int32_t largest) {
  const v128_t moved = wasm_i32x4_add(weights, step);
  return wasm_i32x4_max(wasm_i32x4_min(moved, wasm_i32x4_splat(largest)),
                        wasm_i32x4_splat(-largest));
}

int32_t RowDot(const int16_t* x, const int32_t* w, int n) {
  v128_t sum = wasm_i32x4_splat(0);
  for (int i = 0; i < n; i += kMixerBlock) {
    LLMA_UNROLL
    for (int half = 0; half < 2; ++half) {
      const int32_t* at = w + i + 4 * half;
      const v128_t upper =
          UpperHalves(wasm_v128_load(at), wasm_v128_load(at + 8));
      const v128_t pairs =
          wasm_i32x4_dot_i16x8(wasm_v128_load(x + i + 8 * half), upper);
      sum = wasm_i32x4_add(sum, wasm_i32x4_shr(pairs, 6));
    }
  }
  return V::SumOfLanes({sum});
}

void MixerDot(const int16_t* x, int n, const int32_t* const* rows, int num_rows,
              int32_t* sums) {
  for (int row = 0; row < num_rows; ++row) sums[row] = RowDot(x, rows[row], n);
}

void MixerTrain(const int16_t* x, int n, int32_t* const* rows, int num_rows,
                const int32_t* errors) {
  for (int row = 0; row < num_rows; ++row) {
    if (errors[row] == 0) continue;
    const v128_t e = wasm_i16x8_splat(static_cast<int16_t>(errors[row]));
    for (int i = 0; i < n; i += kMixerBlock) {
      LLMA_UNROLL
      for (int half = 0; half < 2; ++half) {
        const v128_t inputs = wasm_v128_load(x + i + 8 * half);
        int32_t* at = rows[row] + i + 4 * half;
        wasm_v128_store(at, AddClamped(wasm_v128_load(at),
                                       wasm_i32x4_extmul_low_i16x8(inputs, e),
                                       kMaxMixerWeight));
        wasm_v128_store(at + 8,
                        AddClamped(wasm_v128_load(at + 8),
                                   wasm_i32x4_extmul_high_i16x8(inputs, e),
                                   kMaxMixerWeight));
      }
    }
  }
}

int64_t WideMixerDot(const int32_t* x, const int32_t* w, size_t n) {
  v128_t sum = wasm_i64x2_splat(0);
  for (size_t i = 0; i < n; i += 4) {
    const v128_t inputs = wasm_v128_load(x + i);
    const v128_t weights = wasm_v128_load(w + i);
    sum = wasm_i64x2_add(
        sum, wasm_i64x2_add(wasm_i64x2_extmul_low_i32x4(inputs, weights),
                            wasm_i64x2_extmul_high_i32x4(inputs, weights)));
  }
  return wasm_i64x2_extract_lane(sum, 0) + wasm_i64x2_extract_lane(sum, 1);
}

void WideMixerTrain(const int32_t* x, int64_t factor, int32_t* w, size_t n) {
  // factor = high * 2^32 + low, both signed: high * x is whole, and of low * x
  // the upper half is what remains, rounded down.
  const auto low = static_cast<int32_t>(factor);
  const auto high = static_cast<int32_t>((factor - low) >> 32);
  const v128_t lows = wasm_i32x4_splat(low);
  const v128_t highs = wasm_i32x4_splat(high);
  for (size_t i = 0; i < n; i += 4) {
    const v128_t inputs = wasm_v128_load(x + i);
    const v128_t upper = wasm_i32x4_shuffle(
        wasm_i64x2_extmul_low_i32x4(inputs, lows),
        wasm_i64x2_extmul_high_i32x4(inputs, lows), 1, 3, 5, 7);
    const v128_t step = wasm_i32x4_add(wasm_i32x4_mul(inputs, highs), upper);
    wasm_v128_store(
        w + i, AddClamped(wasm_v128_load(w + i), step, kMaxWideMixerWeight));
  }
}

// The sums of four weights at a place.
inline v128_t RowSums(const int32_t* const* rows, int place) {
  v128_t sum = wasm_v128_load(rows[0] + place);
  LLMA_UNROLL
  for (int row = 1; row < kLightMixerRows; ++row) {
    sum = wasm_i32x4_add(sum, wasm_v128_load(rows[row] + place));
  }
  return sum;
}

int32_t LightMixerDot(const int16_t* x, const int32_t* const* rows) {
  v128_t sum = wasm_i32x4_splat(0);
  LLMA_UNROLL
  for (int half = 0; half < 2; ++half) {
    const v128_t upper =
        UpperHalves(RowSums(rows, 4 * half), RowSums(rows, 4 * half + 8));
    const v128_t pairs =
        wasm_i32x4_dot_i16x8(wasm_v128_load(x + 8 * half), upper);
    sum = wasm_i32x4_add(sum, wasm_i32x4_shr(pairs, 6));
  }
  return V::SumOfLanes({sum});
}

void LightMixerTrain(const int16_t* x, int32_t error, int32_t* const* rows) {
  const v128_t e = wasm_i16x8_splat(static_cast<int16_t>(error));
  LLMA_UNROLL
  for (int half = 0; half < 2; ++half) {
    const v128_t inputs = wasm_v128_load(x + 8 * half);
    const v128_t first = wasm_i32x4_extmul_low_i16x8(inputs, e);
    const v128_t second = wasm_i32x4_extmul_high_i16x8(inputs, e);
    LLMA_UNROLL
    for (int row = 0; row < kLightMixerRows; ++row) {
      int32_t* at = rows[row] + 4 * half;
      wasm_v128_store(
          at, AddClamped(wasm_v128_load(at), first, kMaxLightMixerWeight));
      wasm_v128_store(at + 8, AddClamped(wasm_v128_load(at + 8), second,
                                         kMaxLightMixerWeight));
    }
  }
}

}  // namespace

const KernelTable kTable = {
    .name = "wasm_simd128",
    .description = "WebAssembly with vectors of 128 bits",
    .is_supported = [] { return true; },
    .extra_row_cost = 0.6f,
    .quantize_row = QuantizeRow,
    .matmul = Matmul,
    .rms_norm = RmsNorm,
    .swiglu = SwiGlu,
    .geglu = GeGlu,
    .attention_scores = AttentionScores,
    .attention_weights = AttentionWeights,
    .weighted_value_sums = WeightedValueSums,
    .join_value_sums = JoinValueSums,
    .token_weights = TokenWeights,
    .learning = &kLearning,
    .mixer_dot = MixerDot,
    .mixer_train = MixerTrain,
    .wide_mixer_dot = WideMixerDot,
    .wide_mixer_train = WideMixerTrain,
    .light_mixer_dot = LightMixerDot,
    .light_mixer_train = LightMixerTrain,
};

}  // namespace llma::kernels::wasm
#endif  // defined(__wasm_simd128__)
