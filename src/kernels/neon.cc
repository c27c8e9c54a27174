// SPDX-License-Identifier: Apache-2.0
// Kernels for AArch64 processors with the int8 dot product (most since
// Armv8.2). Each function equals its namesake in numerics/reference_ops.h;
// comments here only say how, never what. No fused multiply-add: the intrinsics
// for products and sums stay apart under -ffp-contract=off.
#include "kernels/neon.h"

#include "kernels/kernel_sets.h"

#if defined(__aarch64__)
#include <arm_neon.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>

#include <cstring>

#include "kernels/target_region.h"
#include "numerics/exact_math.h"

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

// The low bytes of 16 int32.
inline int8x16_t LowBytes(const int32x4_t (&v)[4]) {
  const int16x8_t low = vcombine_s16(vmovn_s32(v[0]), vmovn_s32(v[1]));
  const int16x8_t high = vcombine_s16(vmovn_s32(v[2]), vmovn_s32(v[3]));
  return vcombine_s8(vmovn_s16(low), vmovn_s16(high));
}

// exact_math.h: Exp2NonPositive. An argument below -126 gives 0.
inline float32x4_t Exp2(float32x4_t t) {
  const float32x4_t n = vrndnq_f32(t);
  const float32x4_t f = vsubq_f32(t, n);
  float32x4_t p = vdupq_n_f32(kExp2Coefficients[3]);
  p = vaddq_f32(vmulq_f32(p, f), vdupq_n_f32(kExp2Coefficients[2]));
  p = vaddq_f32(vmulq_f32(p, f), vdupq_n_f32(kExp2Coefficients[1]));
  p = vaddq_f32(vmulq_f32(p, f), vdupq_n_f32(kExp2Coefficients[0]));
  p = vaddq_f32(vmulq_f32(p, f), vdupq_n_f32(1.0f));
  const int32x4_t bits =
      vaddq_s32(vreinterpretq_s32_f32(p), vshlq_n_s32(vcvtnq_s32_f32(n), 23));
  const uint32x4_t keep = vandq_u32(vcgeq_f32(t, vdupq_n_f32(kExp2Lowest)),
                                    vcgeq_s32(bits, vdupq_n_s32(1 << 23)));
  return vreinterpretq_f32_u32(vandq_u32(vreinterpretq_u32_s32(bits), keep));
}

}  // namespace

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts) {
  for (uint32_t g = 0; g < num_cols / group_size; ++g) {
    const float* in = x + size_t{g} * group_size;
    int8_t* out = values + size_t{g} * group_size;
    float32x4_t largest_lanes = vdupq_n_f32(0.0f);
    for (uint32_t i = 0; i < group_size; i += 4) {
      largest_lanes = vmaxq_f32(largest_lanes, vabsq_f32(vld1q_f32(in + i)));
    }
    const float largest = vmaxvq_f32(largest_lanes);
    const bool is_zero = largest < kSmallestMagnitude;
    scales[g] = is_zero ? 0.0f : largest / 127.0f;
    const float32x4_t inverse = vdupq_n_f32(is_zero ? 0.0f : 127.0f / largest);
    int32x4_t sum = vdupq_n_s32(0);
    for (uint32_t i = 0; i < group_size; i += 16) {
      int32x4_t q[4];
      for (uint32_t j = 0; j < 4; ++j) {
        q[j] = vcvtnq_s32_f32(vmulq_f32(vld1q_f32(in + i + 4 * j), inverse));
        sum = vaddq_s32(sum, q[j]);
      }
      vst1q_s8(out + i, LowBytes(q));
    }
    starts[g] = -128 * vaddvq_s32(sum);
  }
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

void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y) {
  float32x4_t partial[4];
  for (float32x4_t& p : partial) p = vdupq_n_f32(0.0f);
  for (uint32_t i = 0; i < dim; i += 16) {
    for (uint32_t j = 0; j < 4; ++j) {
      const float32x4_t v = vld1q_f32(x + i + 4 * j);
      partial[j] = vaddq_f32(partial[j], vmulq_f32(v, v));
    }
  }
  const float32x4_t four = vaddq_f32(vaddq_f32(partial[0], partial[2]),
                                     vaddq_f32(partial[1], partial[3]));
  const float32x2_t two = vadd_f32(vget_low_f32(four), vget_high_f32(four));
  const float one = vget_lane_f32(two, 0) + vget_lane_f32(two, 1);
  const float mean = one / static_cast<float>(dim);
  const float root = vget_lane_f32(vsqrt_f32(vdup_n_f32(mean + eps)), 0);
  const float32x4_t inverse = vdupq_n_f32(1.0f / root);
  for (uint32_t i = 0; i < dim; i += 4) {
    vst1q_f32(y + i, vmulq_f32(vmulq_f32(vld1q_f32(x + i), inverse),
                               vld1q_f32(weight + i)));
  }
}

namespace {

struct SiluExponent {
  float32x4_t operator()(float32x4_t g) const {
    return vmulq_f32(vabsq_f32(g), vdupq_n_f32(kLog2E));
  }
};

struct GeluExponent {
  float32x4_t operator()(float32x4_t g) const {
    const float32x4_t a =
        vminq_f32(vabsq_f32(g), vdupq_n_f32(kLargestGeluInput));
    const float32x4_t square_part =
        vmulq_f32(vdupq_n_f32(kGeluCoefficients[1]), vmulq_f32(a, a));
    return vmulq_f32(a,
                     vaddq_f32(vdupq_n_f32(kGeluCoefficients[0]), square_part));
  }
};

// exponent(g) is what exp2n gets, made positive.
template <class Exponent>
inline float32x4_t GateLanes(float32x4_t g, float32x4_t u,
                             const Exponent& exponent) {
  const float32x4_t e = Exp2(vnegq_f32(exponent(g)));
  const float32x4_t numerator =
      vbslq_f32(vcgeq_f32(g, vdupq_n_f32(0.0f)), g, vmulq_f32(g, e));
  const float32x4_t gated =
      vmulq_f32(vdivq_f32(numerator, vaddq_f32(vdupq_n_f32(1.0f), e)), u);
  return vminq_f32(vmaxq_f32(gated, vdupq_n_f32(-kLargestGated)),
                   vdupq_n_f32(kLargestGated));
}

template <class Exponent>
inline void GateAll(const float* gate, const float* up, uint32_t size, float* y,
                    const Exponent& exponent) {
  uint32_t i = 0;
  for (; i + 4 <= size; i += 4) {
    vst1q_f32(y + i,
              GateLanes(vld1q_f32(gate + i), vld1q_f32(up + i), exponent));
  }
  if (i < size) {
    float lanes[2][4] = {};
    std::memcpy(lanes[0], gate + i, (size - i) * sizeof(float));
    std::memcpy(lanes[1], up + i, (size - i) * sizeof(float));
    vst1q_f32(lanes[0],
              GateLanes(vld1q_f32(lanes[0]), vld1q_f32(lanes[1]), exponent));
    std::memcpy(y + i, lanes[0], (size - i) * sizeof(float));
  }
}

}  // namespace

void SwiGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, SiluExponent());
}

void GeGlu(const float* gate, const float* up, uint32_t size, float* y) {
  GateAll(gate, up, size, y, GeluExponent());
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

float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo) {
  float32x4_t max_lanes = vld1q_f32(scores);
  for (uint32_t j = 4; j < num_positions; j += 4) {
    max_lanes = vmaxq_f32(max_lanes, vld1q_f32(scores + j));
  }
  const float32x4_t max_score = vdupq_n_f32(vmaxvq_f32(max_lanes));
  int32x4_t denominators = vdupq_n_s32(0);
  float32x4_t largest_lanes = vdupq_n_f32(0.0f);
  for (uint32_t j = 0; j < num_positions; j += 4) {
    const float32x4_t t = vsubq_f32(vld1q_f32(scores + j), max_score);
    const uint32x4_t keep = vcgeq_f32(t, vdupq_n_f32(kLowestAttentionExponent));
    const float32x4_t scaled =
        vmulq_f32(Exp2(t), vdupq_n_f32(kDenominatorScale));
    const float32x4_t p =
        vreinterpretq_f32_u32(vandq_u32(keep, vreinterpretq_u32_f32(scaled)));
    denominators = vaddq_s32(denominators, vcvtnq_s32_f32(p));
    const float32x4_t folded = vmulq_f32(p, vld1q_f32(v_scales + j));
    largest_lanes = vmaxq_f32(largest_lanes, folded);
    vst1q_f32(scores + j, folded);
  }
  const float largest = vmaxvq_f32(largest_lanes);
  const int32_t denominator = vaddvq_s32(denominators);
  const float32x4_t factor =
      vdupq_n_f32(largest == 0.0f ? 0.0f : kLargestAttentionWeight / largest);
  for (uint32_t j = 0; j < num_positions; j += 16) {
    int32x4_t hi[4], lo[4];
    for (uint32_t i = 0; i < 4; ++i) {
      const int32x4_t w =
          vcvtnq_s32_f32(vmulq_f32(vld1q_f32(scores + j + 4 * i), factor));
      hi[i] = vshrq_n_s32(w, 7);
      lo[i] = vandq_s32(w, vdupq_n_s32(127));
    }
    vst1q_u8(weights_hi + j, vreinterpretq_u8_s8(LowBytes(hi)));
    vst1q_u8(weights_lo + j, vreinterpretq_u8_s8(LowBytes(lo)));
  }
  return (largest / kLargestAttentionWeight) / static_cast<float>(denominator);
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

void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums) {
  const uint32_t num_whole = num_tokens / 4 * 4;
  // Lanes behind the end are as small as can be.
  float tail[4] = {-0x1p+126f, -0x1p+126f, -0x1p+126f, -0x1p+126f};
  const uint32_t num_tail = num_tokens - num_whole;
  std::memcpy(tail, logits + num_whole, num_tail * sizeof(float));
  float32x4_t max_lanes = vld1q_f32(tail);
  for (uint32_t v = 0; v < num_whole; v += 4) {
    max_lanes = vmaxq_f32(max_lanes, vld1q_f32(logits + v));
  }
  const float32x4_t max_logit = vdupq_n_f32(vmaxvq_f32(max_lanes));
  for (uint32_t block = 0; block < num_tokens; block += kTokenBlock) {
    uint64x2_t sum = vdupq_n_u64(0);
    for (uint32_t v = block; v < block + kTokenBlock && v < num_tokens;
         v += 4) {
      const bool is_whole = v < num_whole;
      const float32x4_t logit = vld1q_f32(is_whole ? logits + v : tail);
      const float32x4_t p =
          Exp2(vmulq_f32(vsubq_f32(logit, max_logit), vdupq_n_f32(kLog2E)));
      uint32x4_t weight = vaddq_u32(
          vdupq_n_u32(1),
          vcvtq_u32_f32(vmulq_f32(p, vdupq_n_f32(kTokenWeightScale))));
      if (is_whole) {
        vst1q_u32(weights + v, weight);
      } else {
        uint32_t lanes[2][4] = {};
        vst1q_u32(lanes[0], weight);
        std::memcpy(weights + v, lanes[0], num_tail * sizeof(uint32_t));
        std::memcpy(lanes[1], lanes[0], num_tail * sizeof(uint32_t));
        weight = vld1q_u32(lanes[1]);
      }
      sum = vpadalq_u32(sum, weight);
    }
    block_sums[block / kTokenBlock] = vaddvq_u64(sum);
  }
}

namespace {

bool IsSupported() { return (getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0; }

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
    .join_value_sums = reference::JoinValueSums,
    .token_weights = TokenWeights,
};

}  // namespace llma::kernels::neon

LLMA_TARGET_END
#endif  // defined(__aarch64__)
