// SPDX-License-Identifier: Apache-2.0
// The light mixer of the context models for NEON, which every 64-bit ARM
// processor has; and the table for those that have no int8 dot product.
#if defined(__aarch64__)
#include <arm_neon.h>

#include "kernels/kernel_sets.h"
#include "kernels/neon.h"

namespace llma::kernels {
namespace neon {
namespace {

// Four inputs times the upper halves of the sums of their weights.
inline int32x4_t Products(int16x4_t x, const int32_t* const* rows, int index) {
  int32x4_t sum = vld1q_s32(rows[0] + index);
  for (int row = 1; row < kLightMixerRows; ++row) {
    sum = vaddq_s32(sum, vld1q_s32(rows[row] + index));
  }
  return vmull_s16(x, vshrn_n_s32(sum, 16));
}

inline void AddClamped(int32x4_t step, int32_t* weights) {
  const int32x4_t moved = vaddq_s32(vld1q_s32(weights), step);
  vst1q_s32(weights,
            vmaxq_s32(vminq_s32(moved, vdupq_n_s32(kMaxLightMixerWeight)),
                      vdupq_n_s32(-kMaxLightMixerWeight)));
}

}  // namespace

int32_t LightMixerDot(const int16_t* x, const int32_t* const* rows) {
  int32x4_t sum = vdupq_n_s32(0);
  for (int i = 0; i < kLightMixerInputs; i += 8) {
    const int16x8_t inputs = vld1q_s16(x + i);
    const int32x4_t pairs = vpaddq_s32(
        Products(vget_low_s16(inputs), rows, MixerWeightIndex(i)),
        Products(vget_high_s16(inputs), rows, MixerWeightIndex(i + 4)));
    sum = vaddq_s32(sum, vshrq_n_s32(pairs, 6));
  }
  return vaddvq_s32(sum);
}

void LightMixerTrain(const int16_t* x, int32_t error, int32_t* const* rows) {
  const auto e = static_cast<int16_t>(error);
  for (int i = 0; i < kLightMixerInputs; i += 4) {
    const int32x4_t step = vmull_n_s16(vld1_s16(x + i), e);
    for (int row = 0; row < kLightMixerRows; ++row) {
      AddClamped(step, rows[row] + MixerWeightIndex(i));
    }
  }
}

}  // namespace neon

namespace neon_base {

const KernelTable kTable = {
    .name = "neon_base",
    .description = "NEON for light context models, else the definition",
    .is_supported = [] { return true; },
    .extra_row_cost = 1.0f,
    .quantize_row = reference::QuantizeRow,
    .matmul = reference::Matmul,
    .rms_norm = reference::RmsNorm,
    .swiglu = reference::SwiGlu,
    .geglu = reference::GeGlu,
    .attention_scores = reference::AttentionScores,
    .attention_weights = reference::AttentionWeights,
    .weighted_value_sums = reference::WeightedValueSums,
    .join_value_sums = reference::JoinValueSums,
    .token_weights = reference::TokenWeights,
    .learning = &scalar::kLearning,
    .mixer_dot = reference::MixerDot,
    .mixer_train = reference::MixerTrain,
    .wide_mixer_dot = reference::WideMixerDot,
    .wide_mixer_train = reference::WideMixerTrain,
    .light_mixer_dot = neon::LightMixerDot,
    .light_mixer_train = neon::LightMixerTrain,
};

}  // namespace neon_base
}  // namespace llma::kernels
#endif  // defined(__aarch64__)
