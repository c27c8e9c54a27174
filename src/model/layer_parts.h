// SPDX-License-Identifier: Apache-2.0
// The weights of a layer in the order of the file, of the fingerprint and of
// the import: the one table that all of them follow.
#ifndef LLMA_MODEL_LAYER_PARTS_H_
#define LLMA_MODEL_LAYER_PARTS_H_

#include <span>

#include "model/model.h"
#include "model/model_config.h"
#include "model/model_sections.h"

namespace llma {

// Either floats (a norm or biases) or a matrix, whose values are the section
// `kind` and whose scales are the section after it.
struct LayerPart {
  SectionKind kind;
  bool ModelConfig::*condition;  // null: every model has it
  std::span<const float> LayerWeights::*floats;
  LinearWeights LayerWeights::*matrix;

  bool IsIn(const ModelConfig& config) const {
    return condition == nullptr || config.*condition;
  }
};

constexpr LayerPart FloatsPart(SectionKind kind,
                               std::span<const float> LayerWeights::*floats,
                               bool ModelConfig::*condition = nullptr) {
  return {kind, condition, floats, nullptr};
}
constexpr LayerPart MatrixPart(SectionKind kind,
                               LinearWeights LayerWeights::*matrix) {
  return {kind, nullptr, nullptr, matrix};
}

inline constexpr LayerPart kLayerParts[] = {
    FloatsPart(SectionKind::kAttnNorm, &LayerWeights::attn_norm),
    MatrixPart(SectionKind::kQkvValues, &LayerWeights::qkv),
    FloatsPart(SectionKind::kQkvBias, &LayerWeights::qkv_bias,
               &ModelConfig::has_qkv_bias),
    FloatsPart(SectionKind::kQueryNorm, &LayerWeights::q_norm,
               &ModelConfig::has_qk_norm),
    FloatsPart(SectionKind::kKeyNorm, &LayerWeights::k_norm,
               &ModelConfig::has_qk_norm),
    MatrixPart(SectionKind::kAttnOutValues, &LayerWeights::attn_out),
    FloatsPart(SectionKind::kPostAttnNorm, &LayerWeights::post_attn_norm,
               &ModelConfig::has_post_norms),
    FloatsPart(SectionKind::kFfnNorm, &LayerWeights::ffn_norm),
    MatrixPart(SectionKind::kGateUpValues, &LayerWeights::gate_up),
    MatrixPart(SectionKind::kFfnDownValues, &LayerWeights::ffn_down),
    FloatsPart(SectionKind::kPostFfnNorm, &LayerWeights::post_ffn_norm,
               &ModelConfig::has_post_norms),
};

}  // namespace llma

#endif  // LLMA_MODEL_LAYER_PARTS_H_
