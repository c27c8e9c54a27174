// SPDX-License-Identifier: Apache-2.0
// Kernels for AArch64 processors with the int8 dot product (most since
// Armv8.2). Each function equals its namesake in numerics/reference_ops.h;
// comments here only say how, never what. No fused multiply-add: the intrinsics
// for products and sums stay apart under -ffp-contract=off.
#include "kernels/neon.h"

#include "kernels/kernel_sets.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <cstring>

#include "kernels/target_region.h"
#include "numerics/exact_math.h"
#include "platform/machine/processors.h"

#if defined(__clang__)
LLMA_TARGET_BEGIN("dotprod")
#else
LLMA_TARGET_BEGIN("arch=armv8.2-a+dotprod")
#endif

namespace llma::kernels::neon {
namespace {

constexpr int kParts = 4;  // vectors of 4 sums in the 16 rows of a panel

// sum[i] += the dot product of quad i of a and quad i of b.
inline int32x4_t Dot(int32x4_t sum, int8x16_t a, int8x16_t b) {
#if defined(__clang__)
  // Clang 14 declares vdotq_s32 only where -march has it.
  __asm__("sdot %0.4s, %1.16b, %2.16b" : "+w"(sum) : "w"(a), "w"(b));
  return sum;
#else
  return vdotq_s32(sum, a, b);
#endif
}

// sum[i] += the dot product of quad i of a and quad kLane of b.
template <int kLane>
inline int32x4_t DotLane(int32x4_t sum, int8x16_t a, int8x16_t b) {
#if defined(__clang__)
  __asm__("sdot %0.4s, %1.16b, %2.4b[%3]"
          : "+w"(sum)
          : "w"(a), "w"(b), "i"(kLane));
  return sum;
#else
  return vdotq_laneq_s32(sum, a, b, kLane);
#endif
}

inline int8x16_t BroadcastQuad(const void* four_bytes) {
  int32_t quad;
  std::memcpy(&quad, four_bytes, 4);
  return vreinterpretq_s8_s32(vdupq_n_s32(quad));
}

#include "kernels/partial-vectors-inl.h"

// elementwise-inl.h says what each does.
struct V : PartialVectors<V> {
  static constexpr int kLanes = 4;
  static constexpr bool kPowersUnderflow = false;
  using F = float32x4_t;
  using I = int32x4_t;
  using M = uint32x4_t;
  using Sums = uint64x2_t;

  static F Set(float x) { return vdupq_n_f32(x); }
  static I SetInt(int32_t x) { return vdupq_n_s32(x); }
  static F Load(const float* p) { return vld1q_f32(p); }
  static I LoadInts(const int32_t* p) { return vld1q_s32(p); }
  static void Store(float* p, F v) { vst1q_f32(p, v); }
  static void StoreInts(uint32_t* p, I v) {
    vst1q_u32(p, vreinterpretq_u32_s32(v));
  }

  static F Add(F a, F b) { return vaddq_f32(a, b); }
  static F Sub(F a, F b) { return vsubq_f32(a, b); }
  static F Mul(F a, F b) { return vmulq_f32(a, b); }
  static F Div(F a, F b) { return vdivq_f32(a, b); }
  static F Min(F a, F b) { return vminq_f32(a, b); }
  static F Max(F a, F b) { return vmaxq_f32(a, b); }
  static F Abs(F x) { return vabsq_f32(x); }
  static F Negate(F x) { return vnegq_f32(x); }
  static M Ge(F a, F b) { return vcgeq_f32(a, b); }
  static F Keep(M m, F v) {
    return vreinterpretq_f32_u32(vandq_u32(m, vreinterpretq_u32_f32(v)));
  }
  static F Select(M m, F a, F b) { return vbslq_f32(m, a, b); }

  static void Split(F t, F& n, F& f) {
    n = vrndnq_f32(t);
    f = Sub(t, n);
  }
  // Adds n to the exponent.
  static F TimesPowerOfTwo(F p, F n) {
    return vreinterpretq_f32_s32(
        vaddq_s32(vreinterpretq_s32_f32(p), vshlq_n_s32(Round(n), 23)));
  }
  static I Round(F x) { return vcvtnq_s32_f32(x); }
  static I Truncate(F x) { return vcvtq_s32_f32(x); }
  static F ToFloat(I x) { return vcvtq_f32_s32(x); }
  static I AddInts(I a, I b) { return vaddq_s32(a, b); }
  static I LoadQuads(const int8_t* p) {
    return vreinterpretq_s32_s8(vld1q_s8(p));
  }
  template <int kByte>
  static I SignedByte(I v) {
    return vshrq_n_s32(vshlq_n_s32(v, 24 - 8 * kByte), 24);
  }
  static I KeepFirst(uint32_t n, I v) {
    static constexpr uint32_t kLaneIdx[4] = {0, 1, 2, 3};
    return vreinterpretq_s32_u32(
        vandq_u32(vcltq_u32(vld1q_u32(kLaneIdx), vdupq_n_u32(n)),
                  vreinterpretq_u32_s32(v)));
  }

  // The low bytes of 16 int32.
  static int8x16_t LowBytes(const I (&v)[4]) {
    const int16x8_t low = vcombine_s16(vmovn_s32(v[0]), vmovn_s32(v[1]));
    const int16x8_t high = vcombine_s16(vmovn_s32(v[2]), vmovn_s32(v[3]));
    return vcombine_s8(vmovn_s16(low), vmovn_s16(high));
  }
  static void StoreBytes(int8_t* p, const I (&v)[4]) {
    vst1q_s8(p, LowBytes(v));
  }
  static void StoreHalves(uint8_t* hi, uint8_t* lo, const I (&v)[4]) {
    I high[4], low[4];
    for (int i = 0; i < 4; ++i) {
      high[i] = vshrq_n_s32(v[i], 7);
      low[i] = vandq_s32(v[i], SetInt(127));
    }
    vst1q_u8(hi, vreinterpretq_u8_s8(LowBytes(high)));
    vst1q_u8(lo, vreinterpretq_u8_s8(LowBytes(low)));
  }

  static Sums ZeroSums() { return vdupq_n_u64(0); }
  static void AddToSums(Sums& sums, I v) {
    sums = vpadalq_u32(sums, vreinterpretq_u32_s32(v));
  }
  static uint64_t SumOfSums(Sums sums) { return vaddvq_u64(sums); }
  static float LargestLane(F v) { return vmaxvq_f32(v); }
  static int32_t SumOfLanes(I v) { return vaddvq_s32(v); }
  static float TreeSum(F v) {
    const float32x2_t two = vadd_f32(vget_low_f32(v), vget_high_f32(v));
    return vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  }
  static float Sqrt(float x) {
    return vget_lane_f32(vsqrt_f32(vdup_n_f32(x)), 0);
  }
  static F SqrtAll(F x) { return vsqrtq_f32(x); }
  static void KeepTogether(F (&v)[4]) {
    __asm__("" : "+w"(v[0]), "+w"(v[1]), "+w"(v[2]), "+w"(v[3]));
  }
};

}  // namespace

#include "kernels/elementwise-inl.h"
#include "kernels/learning-inl.h"

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts) {
  QuantizeGroupByGroup(x, num_cols, group_size, values, scales, starts);
}

namespace {

// Adds to `dots` the integer dot products of kRows rows of x with the 16 rows
// of a panel over `num_cols` (a multiple of 16) columns.
//   x[r]: row r at the first column; w: the panel at the first column
template <int kRows>
[[gnu::always_inline]] inline void AddDots(const int8_t* const (&x)[kRows],
                                           const int8_t* w, uint32_t num_cols,
                                           int32x4_t (&dots)[kRows][kParts]) {
  for (uint32_t c = 0; c < num_cols; c += 16) {
    int8x16_t cols[kRows];
    for (int r = 0; r < kRows; ++r) cols[r] = vld1q_s8(x[r] + c);
    const int8_t* quads = w + size_t{c} * kPanelRows;
    for (int p = 0; p < kParts; ++p) {
      const int8x16_t weights = vld1q_s8(quads + 16 * p);
      for (int r = 0; r < kRows; ++r) {
        dots[r][p] = DotLane<0>(dots[r][p], weights, cols[r]);
      }
    }
    for (int p = 0; p < kParts; ++p) {
      const int8x16_t weights = vld1q_s8(quads + 64 + 16 * p);
      for (int r = 0; r < kRows; ++r) {
        dots[r][p] = DotLane<1>(dots[r][p], weights, cols[r]);
      }
    }
    for (int p = 0; p < kParts; ++p) {
      const int8x16_t weights = vld1q_s8(quads + 128 + 16 * p);
      for (int r = 0; r < kRows; ++r) {
        dots[r][p] = DotLane<2>(dots[r][p], weights, cols[r]);
      }
    }
    for (int p = 0; p < kParts; ++p) {
      const int8x16_t weights = vld1q_s8(quads + 192 + 16 * p);
      for (int r = 0; r < kRows; ++r) {
        dots[r][p] = DotLane<3>(dots[r][p], weights, cols[r]);
      }
    }
  }
}

template <int kRows>
[[gnu::always_inline]] inline void DotTile(const int8_t* const (&x)[kRows],
                                           const int8_t* w, uint32_t num_cols,
                                           int32x4_t (&dots)[kRows][kParts]) {
  for (int r = 0; r < kRows; ++r) {
    for (int p = 0; p < kParts; ++p) dots[r][p] = vdupq_n_s32(0);
  }
  AddDots<kRows>(x, w, num_cols, dots);
}

template <int kRows>
void MatmulTile(const LinearWeights& w, uint32_t panel, const QuantizedRows& x,
                uint32_t row, float* y, size_t y_stride) {
  const uint32_t num_groups = w.num_groups();
  // In the first cache: with the dots there would be too few registers.
  float sums[kRows][kPanelRows] = {};
  for (uint32_t g = 0; g < num_groups; ++g) {
    const int8_t* x_group[kRows];
    for (int r = 0; r < kRows; ++r) {
      x_group[r] = x.values + size_t{row + r} * x.num_cols + g * kGroupSize;
    }
    int32x4_t dots[kRows][kParts];
    DotTile<kRows>(x_group,
                   w.values + size_t{panel} * kPanelRows * w.num_cols +
                       size_t{g} * kPanelRows * kGroupSize,
                   kGroupSize, dots);
    const float* w_scales =
        w.scales + (size_t{panel} * num_groups + g) * kPanelRows;
    for (int p = 0; p < kParts; ++p) {
      const float32x4_t w_scale = vld1q_f32(w_scales + 4 * p);
      for (int r = 0; r < kRows; ++r) {
        const float32x4_t x_scale =
            vdupq_n_f32(x.scales[size_t{row + r} * num_groups + g]);
        const float32x4_t scaled =
            vmulq_f32(vcvtq_f32_s32(dots[r][p]), w_scale);
        vst1q_f32(sums[r] + 4 * p, vaddq_f32(vld1q_f32(sums[r] + 4 * p),
                                             vmulq_f32(scaled, x_scale)));
      }
    }
  }
  for (int r = 0; r < kRows; ++r) {
    std::memcpy(y + size_t{row + r} * y_stride + size_t{panel} * kPanelRows,
                sums[r], sizeof(sums[r]));
  }
}

}  // namespace

void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  for (uint32_t panel = panel_begin; panel < panel_end; ++panel) {
    uint32_t row = 0;
    for (; row + 4 <= x.num_rows; row += 4) {
      MatmulTile<4>(w, panel, x, row, y, y_stride);
    }
    if (row + 2 <= x.num_rows) {
      MatmulTile<2>(w, panel, x, row, y, y_stride);
      row += 2;
    }
    if (row < x.num_rows) MatmulTile<1>(w, panel, x, row, y, y_stride);
  }
}

namespace {

template <int kRows>
void ScoreTile(const KeyPanels& keys, uint32_t panel, const QuantizedRows& q,
               uint32_t row, float* scores, size_t stride) {
  const int8_t* q_rows[kRows];
  for (int r = 0; r < kRows; ++r) {
    q_rows[r] = q.values + size_t{row + r} * q.num_cols;
  }
  const size_t pos = size_t{panel} * kPanelRows;
  int32x4_t dots[kRows][kParts];
  DotTile<kRows>(q_rows, keys.values + pos * keys.head_dim, keys.head_dim,
                 dots);
  if (keys.low_values != nullptr) {
    for (int r = 0; r < kRows; ++r) {
      for (int p = 0; p < kParts; ++p) {
        dots[r][p] = vshlq_n_s32(dots[r][p], 7);
      }
    }
    AddDots<kRows>(q_rows, keys.low_values + pos * keys.head_dim, keys.head_dim,
                   dots);
  }
  for (int p = 0; p < kParts; ++p) {
    const float32x4_t k_scale = vld1q_f32(keys.scales + pos + 4 * p);
    for (int r = 0; r < kRows; ++r) {
      const float32x4_t scaled = vmulq_f32(vcvtq_f32_s32(dots[r][p]), k_scale);
      vst1q_f32(scores + (row + r) * stride + pos + 4 * p,
                vmulq_f32(scaled, vdupq_n_f32(q.scales[row + r])));
    }
  }
}

}  // namespace

void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t stride) {
  for (uint32_t panel = 0; panel < keys.num_panels; ++panel) {
    uint32_t row = 0;
    for (; row + 3 <= q.num_rows; row += 3) {
      ScoreTile<3>(keys, panel, q, row, scores, stride);
    }
    for (; row < q.num_rows; ++row) {
      ScoreTile<1>(keys, panel, q, row, scores, stride);
    }
  }
}

namespace {

// kQueries queries, 16 dims starting at dim. The halves of the weights are at
// most 127, so they may count as signed.
template <int kQueries>
void ValueTile(const ValuePanels& v, const uint8_t* weights_hi,
               const uint8_t* weights_lo, size_t weights_stride, uint32_t query,
               uint32_t dim, int32_t* sums_hi, int32_t* sums_lo) {
  int32x4_t hi[kQueries][kParts], lo[kQueries][kParts];
  LLMA_UNROLL
  for (int i = 0; i < kQueries; ++i) {
    LLMA_UNROLL
    for (int p = 0; p < kParts; ++p) {
      const size_t idx = size_t{query + i} * v.head_dim + dim + 4 * p;
      hi[i][p] = vld1q_s32(sums_hi + idx);
      lo[i][p] = vld1q_s32(sums_lo + idx);
    }
  }
  for (uint32_t pos = 0; pos < v.num_positions; pos += 4) {
    const int8_t* quad = v.values + size_t{pos} * v.head_dim + size_t{dim} * 4;
    int8x16_t values[kParts];
    LLMA_UNROLL
    for (int p = 0; p < kParts; ++p) values[p] = vld1q_s8(quad + 16 * p);
    LLMA_UNROLL
    for (int i = 0; i < kQueries; ++i) {
      const size_t idx = size_t{query + i} * weights_stride + pos;
      const int8x16_t w_hi = BroadcastQuad(weights_hi + idx);
      const int8x16_t w_lo = BroadcastQuad(weights_lo + idx);
      LLMA_UNROLL
      for (int p = 0; p < kParts; ++p) {
        hi[i][p] = Dot(hi[i][p], values[p], w_hi);
        lo[i][p] = Dot(lo[i][p], values[p], w_lo);
      }
    }
  }
  LLMA_UNROLL
  for (int i = 0; i < kQueries; ++i) {
    LLMA_UNROLL
    for (int p = 0; p < kParts; ++p) {
      const size_t idx = size_t{query + i} * v.head_dim + dim + 4 * p;
      vst1q_s32(sums_hi + idx, hi[i][p]);
      vst1q_s32(sums_lo + idx, lo[i][p]);
    }
  }
}

}  // namespace

void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo) {
  for (uint32_t dim = 0; dim < v.head_dim; dim += 16) {
    uint32_t query = 0;
    for (; query + 3 <= num_queries; query += 3) {
      ValueTile<3>(v, weights_hi, weights_lo, weights_stride, query, dim,
                   sums_hi, sums_lo);
    }
    for (; query < num_queries; ++query) {
      ValueTile<1>(v, weights_hi, weights_lo, weights_stride, query, dim,
                   sums_hi, sums_lo);
    }
  }
}

namespace {

bool IsSupported() { return HasArmDotProducts(); }

}  // namespace

const KernelTable kTable = {
    .name = "neon",
    .description = "NEON with the int8 dot product",
    .is_supported = IsSupported,
    .extra_row_cost = 0.15f,
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
    .mixer_dot = reference::MixerDot,
    .mixer_train = reference::MixerTrain,
    .wide_mixer_dot = reference::WideMixerDot,
    .wide_mixer_train = reference::WideMixerTrain,
    .light_mixer_dot = neon::LightMixerDot,
    .light_mixer_train = neon::LightMixerTrain,
};

}  // namespace llma::kernels::neon

LLMA_TARGET_END
#endif  // defined(__aarch64__)
