// SPDX-License-Identifier: Apache-2.0
// Matrix products for AArch64 processors with the int8 matrix extension (most
// since Armv8.6); all else is the NEON table's.
#include "kernels/kernel_sets.h"
#include "kernels/neon.h"

#if defined(__aarch64__)
#include <arm_neon.h>

#include <cstring>

#include "kernels/target_region.h"
#include "platform/machine/processors.h"

#if defined(__clang__)
LLMA_TARGET_BEGIN("i8mm")
#else
LLMA_TARGET_BEGIN("arch=armv8.2-a+i8mm")
#endif

namespace llma::kernels::neon_i8mm {
namespace {

// smmla takes two rows of 8 bytes on each side and adds their 4 dot products,
// 32 multiply-adds where sdot does 16. Panels hold 4 columns of a row together,
// so first the rows of a group are paired: 8 columns of one, then of the next.
// That costs three instructions for 16 bytes, once for a block of rows of x.
// The inner loop then does 20 multiply-adds an instruction, that of the NEON
// table 12; with few rows the pairing would cost more than that gains.
constexpr uint32_t kMinRows = 8;
constexpr uint32_t kBlockRows = 48;  // their sums stay in the first cache
constexpr int kWPairs = kPanelRows / 2;

// [col / 8, row / 2, row % 2, col % 8], a group of a panel.
struct PairedGroup {
  alignas(64) int8_t values[kGroupSize * kPanelRows];
};

void PairRows(const int8_t* w, PairedGroup& paired) {
  for (uint32_t i = 0; i < sizeof(paired.values); i += 128) {
    LLMA_UNROLL
    for (uint32_t p = 0; p < 64; p += 16) {
      const int32x4_t left = vreinterpretq_s32_s8(vld1q_s8(w + i + p));
      const int32x4_t right = vreinterpretq_s32_s8(vld1q_s8(w + i + 64 + p));
      int8_t* to = paired.values + i + 2 * p;
      vst1q_s8(to, vreinterpretq_s8_s32(vzip1q_s32(left, right)));
      vst1q_s8(to + 16, vreinterpretq_s8_s32(vzip2q_s32(left, right)));
    }
  }
}

// sums[2 i + j] += the dot product of half i of a and half j of b.
inline int32x4_t AddProducts(int32x4_t sums, int8x16_t a, int8x16_t b) {
#if defined(__clang__)
  // Clang 14 declares vmmlaq_s32 only where -march has it.
  __asm__("smmla %0.4s, %1.16b, %2.16b" : "+w"(sums) : "w"(a), "w"(b));
  return sums;
#else
  return vmmlaq_s32(sums, a, b);
#endif
}

// Half `half` of both.
template <int half>
inline int8x16_t Halves(int8x16_t a, int8x16_t b) {
  const int64x2_t x = vreinterpretq_s64_s8(a), y = vreinterpretq_s64_s8(b);
  return vreinterpretq_s8_s64(half == 0 ? vzip1q_s64(x, y) : vzip2q_s64(x, y));
}

// Adds group g of rows [row, row + 2 * kXPairs) times a panel to `sums`. Rows
// from row_end on repeat the last one; their sums mean nothing.
template <int kXPairs>
void AddGroup(const PairedGroup& w, const float* w_scales,
              const QuantizedRows& x, uint32_t row, uint32_t row_end,
              uint32_t g, float (*sums)[kPanelRows]) {
  const int8_t* x_rows[2 * kXPairs];
  float x_scales[2 * kXPairs];
  for (uint32_t r = 0; r < 2 * kXPairs; ++r) {
    const size_t from = row + r < row_end ? row + r : row_end - 1;
    x_rows[r] = x.values + from * x.num_cols + g * kGroupSize;
    x_scales[r] = x.scales[from * x.num_groups + g];
  }
  int32x4_t dots[kXPairs][kWPairs];
  LLMA_UNROLL
  for (int i = 0; i < kXPairs; ++i) {
    LLMA_UNROLL
    for (int p = 0; p < kWPairs; ++p) dots[i][p] = vdupq_n_s32(0);
  }
// Unrolled whole, GCC would add to one sum many times in a row.
#pragma GCC unroll 1
  for (uint32_t c = 0; c < kGroupSize; c += 16) {
    int8x16_t left[kXPairs], right[kXPairs];
    LLMA_UNROLL
    for (int i = 0; i < kXPairs; ++i) {
      const int8x16_t first = vld1q_s8(x_rows[2 * i] + c);
      const int8x16_t second = vld1q_s8(x_rows[2 * i + 1] + c);
      left[i] = Halves<0>(first, second);
      right[i] = Halves<1>(first, second);
    }
    const int8_t* pairs = w.values + size_t{c} * kPanelRows;
    LLMA_UNROLL
    for (int p = 0; p < kWPairs; ++p) {
      const int8x16_t weights = vld1q_s8(pairs + 16 * p);
      LLMA_UNROLL
      for (int i = 0; i < kXPairs; ++i) {
        dots[i][p] = AddProducts(dots[i][p], left[i], weights);
      }
    }
    LLMA_UNROLL
    for (int p = 0; p < kWPairs; ++p) {
      const int8x16_t weights = vld1q_s8(pairs + 128 + 16 * p);
      LLMA_UNROLL
      for (int i = 0; i < kXPairs; ++i) {
        dots[i][p] = AddProducts(dots[i][p], right[i], weights);
      }
    }
  }
  LLMA_UNROLL
  for (int p = 0; p < kWPairs; p += 2) {
    const float32x4_t w_scale = vld1q_f32(w_scales + 2 * p);
    LLMA_UNROLL
    for (int i = 0; i < kXPairs; ++i) {
      const int8x16_t low = vreinterpretq_s8_s32(dots[i][p]);
      const int8x16_t high = vreinterpretq_s8_s32(dots[i][p + 1]);
      const int32x4_t of_row[2] = {vreinterpretq_s32_s8(Halves<0>(low, high)),
                                   vreinterpretq_s32_s8(Halves<1>(low, high))};
      LLMA_UNROLL
      for (int j = 0; j < 2; ++j) {
        const int r = 2 * i + j;
        const float32x4_t scaled = vmulq_f32(vcvtq_f32_s32(of_row[j]), w_scale);
        float* to = sums[r] + 2 * p;
        vst1q_f32(to, vaddq_f32(vld1q_f32(to),
                                vmulq_f32(scaled, vdupq_n_f32(x_scales[r]))));
      }
    }
  }
}

void MatmulBlock(const LinearWeights& w, uint32_t panel, const QuantizedRows& x,
                 uint32_t row_begin, uint32_t row_end, float* y,
                 size_t y_stride) {
  float sums[kBlockRows][kPanelRows] = {};
  for (uint32_t g = 0; g < w.num_groups(); ++g) {
    PairedGroup paired;
    PairRows(w.values + size_t{panel} * kPanelRows * w.num_cols +
                 size_t{g} * kPanelRows * kGroupSize,
             paired);
    const float* w_scales =
        w.scales + (size_t{panel} * w.num_groups() + g) * kPanelRows;
    uint32_t row = row_begin;
    for (; row + 2 < row_end; row += 4) {
      AddGroup<2>(paired, w_scales, x, row, row_end, g, sums + row - row_begin);
    }
    if (row < row_end) {
      AddGroup<1>(paired, w_scales, x, row, row_end, g, sums + row - row_begin);
    }
  }
  for (uint32_t row = row_begin; row < row_end; ++row) {
    std::memcpy(y + size_t{row} * y_stride + size_t{panel} * kPanelRows,
                sums[row - row_begin], sizeof(sums[0]));
  }
}

void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  if (x.num_rows < kMinRows) {
    neon::Matmul(w, panel_begin, panel_end, x, y, y_stride);
    return;
  }
  for (uint32_t panel = panel_begin; panel < panel_end; ++panel) {
    for (uint32_t row = 0; row < x.num_rows; row += kBlockRows) {
      const uint32_t left = x.num_rows - row;
      MatmulBlock(w, panel, x, row,
                  row + (left < kBlockRows ? left : kBlockRows), y, y_stride);
    }
  }
}

bool IsSupported() { return HasArmDotProducts() && HasArmI8mm(); }

}  // namespace

const KernelTable kTable = {
    .name = "neon_i8mm",
    .description = "NEON with the int8 matrix product",
    .is_supported = IsSupported,
    .extra_row_cost = 0.1f,
    .quantize_row = neon::QuantizeRow,
    .matmul = Matmul,
    .rms_norm = neon::RmsNorm,
    .swiglu = neon::SwiGlu,
    .geglu = neon::GeGlu,
    .attention_scores = neon::AttentionScores,
    .attention_weights = neon::AttentionWeights,
    .weighted_value_sums = neon::WeightedValueSums,
    .join_value_sums = neon::JoinValueSums,
    .token_weights = neon::TokenWeights,
    .learning = &neon::kLearning,
    .mixer_dot = reference::MixerDot,
    .mixer_train = reference::MixerTrain,
    .wide_mixer_dot = reference::WideMixerDot,
    .wide_mixer_train = reference::WideMixerTrain,
    .light_mixer_dot = neon::LightMixerDot,
    .light_mixer_train = neon::LightMixerTrain,
};

}  // namespace llma::kernels::neon_i8mm

LLMA_TARGET_END
#endif  // defined(__aarch64__)
