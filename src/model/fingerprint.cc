// SPDX-License-Identifier: Apache-2.0
#include "model/fingerprint.h"

#include <cstring>

#include "model/layer_parts.h"
#include "model/model_header.h"

namespace llma {
namespace {

// Separates these hashes from all others and names their definition.
constexpr std::string_view kDomain = "llma model fingerprint 0\n";

}  // namespace

FingerprintBuilder::FingerprintBuilder() { hash_.Update(AsBytes(kDomain)); }

void FingerprintBuilder::AddConfig(const ModelConfig& c) {
  ByteWriter out;
  StoreModelConfig(c, out);
  hash_.Update(out.bytes());
}

void FingerprintBuilder::AddTokenizer(const TokenTable& tokens,
                                      const TokenizerSpec& tokenizer) {
  ByteWriter out;
  for (uint32_t row = 0; row < tokens.num_tokens(); ++row) {
    const Bytes spelling = tokens.spelling(row);
    out.StoreU16(static_cast<uint16_t>(spelling.size()));
    out.StoreBytes(spelling);
  }
  out.StoreU32(static_cast<uint32_t>(tokenizer.merges.size() / 2));
  for (const uint32_t row : tokenizer.merges) out.StoreU32(row);
  out.StoreU16(static_cast<uint16_t>(tokenizer.pre_tokenizer.size()));
  out.StoreBytes(AsBytes(tokenizer.pre_tokenizer));
  hash_.Update(out.bytes());
}

void FingerprintBuilder::AddRopeSteps(std::span<const uint64_t> steps) {
  ByteWriter out;
  for (const uint64_t step : steps) out.StoreU64(step);
  hash_.Update(out.bytes());
}

void FingerprintBuilder::AddFloats(std::span<const float> values) {
  ByteWriter out;
  for (const float v : values) out.StoreF32(v);
  hash_.Update(out.bytes());
}

void FingerprintBuilder::AddLinear(const LinearWeights& weights) {
  const size_t scales_bytes = weights.num_groups() * sizeof(float);
  std::vector<uint8_t> row_bytes(weights.num_cols + scales_bytes);
  for (uint32_t row = 0; row < weights.num_rows; ++row) {
    uint8_t* out = row_bytes.data();
    for (uint32_t col = 0; col < weights.num_cols; col += kPanelCols) {
      std::memcpy(out, weights.values + weights.value_idx(row, col),
                  kPanelCols);
      out += kPanelCols;
    }
    ByteWriter scales;
    for (uint32_t group = 0; group < weights.num_groups(); ++group) {
      scales.StoreF32(weights.scales[weights.scale_idx(row, group)]);
    }
    std::memcpy(out, scales.bytes().data(), scales_bytes);
    hash_.Update(row_bytes);
  }
}

Fingerprint ComputeFingerprint(const Model& model) {
  FingerprintBuilder builder;
  builder.AddConfig(model.config());
  builder.AddTokenizer(model.tokens(), model.tokenizer());
  builder.AddRopeSteps(model.rope_steps());
  if (model.config().has_local_layers()) {
    builder.AddRopeSteps(model.local_rope_steps());
  }
  builder.AddFloats(model.output_norm());
  builder.AddLinear(model.embedding());
  if (!model.config().tied_head) builder.AddLinear(model.head());
  for (uint32_t i = 0; i < model.config().num_layers; ++i) {
    for (const LayerPart& part : kLayerParts) {
      if (part.matrix != nullptr) {
        builder.AddLinear(model.layer(i).*part.matrix);
      } else {
        builder.AddFloats(model.layer(i).*part.floats);  // may be empty
      }
    }
  }
  return builder.Digest();
}

}  // namespace llma
