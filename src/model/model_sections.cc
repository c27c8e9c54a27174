// SPDX-License-Identifier: Apache-2.0
#include "model/model_sections.h"

namespace llma {

LinearWeights LinearShape(const ModelConfig& config, SectionKind kind) {
  LinearWeights shape;
  switch (kind) {
    case SectionKind::kEmbeddingValues:
    case SectionKind::kEmbeddingScales:
      shape.num_rows = config.num_rows;
      shape.num_cols = config.dim;
      break;
    case SectionKind::kHeadValues:
    case SectionKind::kHeadScales:
      shape.num_rows = config.num_tokens;
      shape.num_cols = config.dim;
      break;
    case SectionKind::kQkvValues:
    case SectionKind::kQkvScales:
      shape.num_rows = config.qkv_dim();
      shape.num_cols = config.dim;
      break;
    case SectionKind::kAttnOutValues:
    case SectionKind::kAttnOutScales:
      shape.num_rows = config.dim;
      shape.num_cols = config.q_dim();
      break;
    case SectionKind::kGateUpValues:
    case SectionKind::kGateUpScales:
      shape.num_rows = 2 * config.ffn_dim;
      shape.num_cols = config.dim;
      break;
    case SectionKind::kFfnDownValues:
    case SectionKind::kFfnDownScales:
      shape.num_rows = config.dim;
      shape.num_cols = config.ffn_dim;
      break;
    default:
      break;
  }
  return shape;
}

bool IsValuesSection(SectionKind kind) {
  switch (kind) {
    case SectionKind::kEmbeddingValues:
    case SectionKind::kHeadValues:
    case SectionKind::kQkvValues:
    case SectionKind::kAttnOutValues:
    case SectionKind::kGateUpValues:
    case SectionKind::kFfnDownValues:
      return true;
    default:
      return false;
  }
}

std::vector<Section> ListSections(const ModelConfig& config,
                                  uint64_t token_bytes_size,
                                  uint64_t num_merges) {
  std::vector<Section> sections;
  uint32_t layer = Section::kNoLayer;
  const auto add = [&](SectionKind kind, uint64_t size_bytes) {
    sections.push_back({kind, layer, 0, size_bytes, 0});
  };
  const auto add_linear = [&](SectionKind values, SectionKind scales) {
    const LinearWeights shape = LinearShape(config, values);
    add(values, shape.values_bytes());
    add(scales, shape.num_scales() * sizeof(float));
  };
  const uint64_t norm_bytes = config.dim * sizeof(float);
  add(SectionKind::kTokenOffsets,
      (uint64_t{config.num_tokens} + 1) * sizeof(uint32_t));
  add(SectionKind::kTokenBytes, token_bytes_size);
  add(SectionKind::kMerges, num_merges * kMergeBytes);
  const uint64_t steps_bytes = config.head_dim / 2 * sizeof(uint64_t);
  const uint64_t head_norm_bytes = config.head_dim * sizeof(float);
  add(SectionKind::kRopeSteps, steps_bytes);
  if (config.has_local_layers()) {
    add(SectionKind::kLocalRopeSteps, steps_bytes);
  }
  add(SectionKind::kOutputNorm, norm_bytes);
  add_linear(SectionKind::kEmbeddingValues, SectionKind::kEmbeddingScales);
  if (!config.tied_head) {
    add_linear(SectionKind::kHeadValues, SectionKind::kHeadScales);
  }
  for (layer = 0; layer < config.num_layers; ++layer) {
    add(SectionKind::kAttnNorm, norm_bytes);
    add_linear(SectionKind::kQkvValues, SectionKind::kQkvScales);
    if (config.has_qkv_bias) {
      add(SectionKind::kQkvBias, uint64_t{config.qkv_dim()} * sizeof(float));
    }
    if (config.has_qk_norm) {
      add(SectionKind::kQueryNorm, head_norm_bytes);
      add(SectionKind::kKeyNorm, head_norm_bytes);
    }
    add_linear(SectionKind::kAttnOutValues, SectionKind::kAttnOutScales);
    if (config.has_post_norms) add(SectionKind::kPostAttnNorm, norm_bytes);
    add(SectionKind::kFfnNorm, norm_bytes);
    add_linear(SectionKind::kGateUpValues, SectionKind::kGateUpScales);
    add_linear(SectionKind::kFfnDownValues, SectionKind::kFfnDownScales);
    if (config.has_post_norms) add(SectionKind::kPostFfnNorm, norm_bytes);
  }
  return sections;
}

}  // namespace llma
