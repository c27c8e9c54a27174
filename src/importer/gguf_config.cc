// SPDX-License-Identifier: Apache-2.0
#include "importer/gguf_config.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "importer/architecture.h"

namespace llma {
namespace {

Error Unsupported(const std::string& what) {
  return Error{ErrorCode::kUnsupported, what};
}

// All keys of an architecture that the import understands, behind its name and
// a dot. Any other may change what the model computes, so it is refused.
constexpr std::string_view kKnownKeys[] = {
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.layer_norm_rms_epsilon",
    "attention.value_length",
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "rope.dimension_count",
    "rope.freq_base",
    "rope.scaling.attn_factor",
    "rope.scaling.factor",
    "rope.scaling.finetuned",
    "rope.scaling.original_context_length",
    "rope.scaling.type",
    "vocab_size",
};

// Only where layers may be local, and scores and logits have caps.
constexpr std::string_view kLocalKeys[] = {
    "attention.sliding_window", "attention.sliding_window_pattern",
    "attn_logit_softcapping",   "final_logit_softcapping",
    "rope.freq_base_swa",
};

// Metadata of the architecture, by names without its own.
class Metadata {
 public:
  Metadata(const GgufReader& gguf, const Architecture& architecture)
      : gguf_(gguf), prefix_(std::string(architecture.gguf_name) + ".") {}

  std::string Key(std::string_view name) const {
    return prefix_ + std::string(name);
  }
  bool Has(std::string_view name) const { return gguf_.Has(Key(name)); }
  Result<uint32_t> GetU32(std::string_view name) const {
    return gguf_.GetU32(Key(name));
  }
  Result<float> GetF32(std::string_view name) const {
    return gguf_.GetF32(Key(name));
  }
  Result<uint32_t> GetU32Or(std::string_view name, uint32_t otherwise) const {
    if (!Has(name)) return otherwise;
    return GetU32(name);
  }
  Result<float> GetF32Or(std::string_view name, float otherwise) const {
    if (!Has(name)) return otherwise;
    return GetF32(name);
  }
  Result<std::string_view> GetStringOr(std::string_view name,
                                       std::string_view otherwise) const {
    if (!Has(name)) return otherwise;
    return gguf_.GetString(Key(name));
  }

  Status CheckKeys(bool has_local_layers) const {
    const auto is_in = [](std::string_view name, const auto& names) {
      return std::find(std::begin(names), std::end(names), name) !=
             std::end(names);
    };
    for (const auto& [key, value] : gguf_.values()) {
      if (!key.starts_with(prefix_)) continue;
      const std::string_view name = key.substr(prefix_.size());
      if (is_in(name, kKnownKeys)) continue;
      if (has_local_layers && is_in(name, kLocalKeys)) continue;
      return Unsupported("metadata " + std::string(key) + " is not known");
    }
    return OkStatus();
  }

 private:
  const GgufReader& gguf_;
  const std::string prefix_;
};

Result<const Architecture*> ReadArchitecture(const GgufReader& gguf) {
  LLMA_ASSIGN(const auto name, gguf.GetString("general.architecture"));
  const Architecture* architecture = FindGgufArchitecture(name);
  if (architecture == nullptr) {
    return Unsupported("architecture " + std::string(name) + " (only " +
                       GgufArchitectureNames() + " can be read)");
  }
  return architecture;
}

Status ReadSizes(const Metadata& metadata, ModelConfig& c) {
  LLMA_ASSIGN(c.num_layers, metadata.GetU32("block_count"));
  LLMA_ASSIGN(c.dim, metadata.GetU32("embedding_length"));
  LLMA_ASSIGN(c.ffn_dim, metadata.GetU32("feed_forward_length"));
  LLMA_ASSIGN(c.context_length, metadata.GetU32("context_length"));
  LLMA_ASSIGN(c.num_heads, metadata.GetU32("attention.head_count"));
  LLMA_ASSIGN(c.num_kv_heads,
              metadata.GetU32Or("attention.head_count_kv", c.num_heads));
  if (c.num_heads == 0) return Unsupported("no attention heads");
  LLMA_ASSIGN(c.head_dim,
              metadata.GetU32Or("attention.key_length", c.dim / c.num_heads));
  for (const char* name : {"attention.value_length", "rope.dimension_count"}) {
    LLMA_ASSIGN(const uint32_t size, metadata.GetU32Or(name, c.head_dim));
    if (size != c.head_dim) {
      return Unsupported(metadata.Key(name) + " differs from the key length");
    }
  }
  LLMA_ASSIGN(c.norm_eps, metadata.GetF32("attention.layer_norm_rms_epsilon"));
  return OkStatus();
}

Status ReadVariations(const Metadata& metadata,
                      const Architecture& architecture, ModelConfig& c) {
  ApplyArchitecture(architecture, c);
  LLMA_ASSIGN(c.score_cap, metadata.GetF32Or("attn_logit_softcapping", 0));
  LLMA_ASSIGN(c.logit_cap, metadata.GetF32Or("final_logit_softcapping", 0));
  if (architecture.wide_score_layers == c.num_layers) {
    c.score_divisor = std::sqrt(static_cast<float>(c.dim / c.num_heads));
  }
  LLMA_ASSIGN(const uint32_t local_positions,
              metadata.GetU32Or("attention.sliding_window", 0));
  LLMA_ASSIGN(const uint32_t period,
              metadata.GetU32Or("attention.sliding_window_pattern", 0));
  ApplySizes(architecture, local_positions, period, c);
  return OkStatus();
}

Result<RopeSpec> ReadRope(const Metadata& metadata) {
  RopeSpec rope;
  // What GGUF means by silence.
  LLMA_ASSIGN(rope.base, metadata.GetF32Or("rope.freq_base", 10000));
  constexpr std::string_view kTypeKey = "rope.scaling.type";
  LLMA_ASSIGN(const auto type, metadata.GetStringOr(kTypeKey, "none"));
  if (type == "none") return rope;
  if (type == "linear") {
    rope.scaling = RopeScaling::kLinear;
  } else if (type == "yarn") {
    rope.scaling = RopeScaling::kYarn;
    LLMA_ASSIGN(const uint32_t positions,
                metadata.GetU32("rope.scaling.original_context_length"));
    rope.original_positions = static_cast<float>(positions);
  } else {
    return Unsupported("metadata " + metadata.Key(kTypeKey) + " is " +
                       std::string(type) +
                       " (only none, linear, yarn can be "
                       "read)");
  }
  LLMA_ASSIGN(rope.factor, metadata.GetF32("rope.scaling.factor"));
  constexpr std::string_view kFactorKey = "rope.scaling.attn_factor";
  LLMA_ASSIGN(const float attn_factor, metadata.GetF32Or(kFactorKey, 1));
  if (attn_factor != 1) {
    return Unsupported("metadata " + metadata.Key(kFactorKey) + " is not 1");
  }
  return rope;
}

}  // namespace

Status ReadGgufConfig(const GgufReader& gguf, SourceModel& source) {
  LLMA_ASSIGN(const Architecture* architecture, ReadArchitecture(gguf));
  const Metadata metadata(gguf, *architecture);
  LLMA_TRY(metadata.CheckKeys(architecture->global_period != 0));
  LLMA_TRY(ReadSizes(metadata, source.config));
  LLMA_TRY(ReadVariations(metadata, *architecture, source.config));
  LLMA_ASSIGN(source.rope, ReadRope(metadata));
  source.local_rope = source.rope;
  if (architecture->local_rope_base != 0) {
    source.local_rope = RopeSpec();
    LLMA_ASSIGN(
        source.local_rope.base,
        metadata.GetF32Or("rope.freq_base_swa", architecture->local_rope_base));
  }
  source.has_adjacent_rope_pairs = architecture->has_adjacent_pairs_in_gguf;
  source.vocabulary.starts_with_begin = architecture->starts_with_begin;
  return OkStatus();
}

}  // namespace llma
