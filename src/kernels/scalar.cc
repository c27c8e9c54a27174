// SPDX-License-Identifier: Apache-2.0
// The definitions themselves as a kernel table: always present, the oracle of
// the others.
#include "kernels/kernel_sets.h"

namespace llma::kernels::scalar {

const LearningKernels kLearning = {
    .low_rank_down = reference::LowRankDown,
    .quantized_low_rank_down = reference::QuantizedLowRankDown,
    .add_low_rank = reference::AddLowRank,
    .add_outer = reference::AddOuter,
    .transpose_group = reference::TransposeGroup,
    .swiglu_backward = reference::SwiGluBackward,
    .geglu_backward = reference::GeGluBackward,
    .rms_norm_backward = reference::RmsNormBackward,
    .move_weights = reference::MoveWeights,
};

const KernelTable kTable = {
    .name = "scalar",
    .description = "portable C++, the definition",
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
    .light_mixer_dot = reference::LightMixerDot,
    .light_mixer_train = reference::LightMixerTrain,
};

}  // namespace llma::kernels::scalar
