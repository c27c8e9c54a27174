// SPDX-License-Identifier: Apache-2.0
#include "model/model_sections.h"

#include "model/layer_parts.h"

namespace llma {

static_assert(
    ScalesOf(SectionKind::kEmbeddingValues) == SectionKind::kEmbeddingScales &&
    ScalesOf(SectionKind::kHeadValues) == SectionKind::kHeadScales &&
    ScalesOf(SectionKind::kQkvValues) == SectionKind::kQkvScales &&
    ScalesOf(SectionKind::kAttnOutValues) == SectionKind::kAttnOutScales &&
    ScalesOf(SectionKind::kGateUpValues) == SectionKind::kGateUpScales &&
    ScalesOf(SectionKind::kFfnDownValues) == SectionKind::kFfnDownScales);

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

uint32_t NumFloats(const ModelConfig& config, SectionKind kind) {
  switch (kind) {
    case SectionKind::kQkvBias:
      return config.qkv_dim();
    case SectionKind::kQueryNorm:
    case SectionKind::kKeyNorm:
      return config.head_dim;
    default:
      return config.dim;
  }
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
  const auto add_floats = [&](SectionKind kind) {
    add(kind, uint64_t{NumFloats(config, kind)} * sizeof(float));
  };
  const auto add_matrix = [&](SectionKind values) {
    const LinearWeights shape = LinearShape(config, values);
    add(values, shape.values_bytes());
    add(ScalesOf(values), shape.num_scales() * sizeof(float));
  };
  add(SectionKind::kTokenOffsets,
      (uint64_t{config.num_tokens} + 1) * sizeof(uint32_t));
  add(SectionKind::kTokenBytes, token_bytes_size);
  add(SectionKind::kMerges, num_merges * kMergeBytes);
  const uint64_t steps_bytes = config.head_dim / 2 * sizeof(uint64_t);
  add(SectionKind::kRopeSteps, steps_bytes);
  if (config.has_local_layers()) {
    add(SectionKind::kLocalRopeSteps, steps_bytes);
  }
  add_floats(SectionKind::kOutputNorm);
  add_matrix(SectionKind::kEmbeddingValues);
  if (!config.tied_head) add_matrix(SectionKind::kHeadValues);
  for (layer = 0; layer < config.num_layers; ++layer) {
    for (const LayerPart& part : kLayerParts) {
      if (!part.IsIn(config)) continue;
      if (part.matrix != nullptr) {
        add_matrix(part.kind);
      } else {
        add_floats(part.kind);
      }
    }
  }
  return sections;
}

}  // namespace llma
