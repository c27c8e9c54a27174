// SPDX-License-Identifier: Apache-2.0
#include "importer/gguf/gguf_config.h"

#include <algorithm>
#include <cmath>
#include <string>
#include <string_view>

#include "importer/convert/architecture.h"
#include "importer/convert/multipliers.h"
#include "importer/convert/unsupported.h"
#include "importer/gguf/gguf_keys.h"

namespace llma {
namespace {

constexpr std::string_view kEpsilonKey = "attention.layer_norm_rms_epsilon";
constexpr std::string_view kWindowKey = "attention.sliding_window";
constexpr std::string_view kPatternKey = "attention.sliding_window_pattern";
constexpr std::string_view kScoreCapKey = "attn_logit_softcapping";
constexpr std::string_view kLogitCapKey = "final_logit_softcapping";
constexpr std::string_view kBaseKey = "rope.freq_base";
constexpr std::string_view kLocalBaseKey = "rope.freq_base_swa";
constexpr std::string_view kScalingTypeKey = "rope.scaling.type";
constexpr std::string_view kScalingFactorKey = "rope.scaling.factor";
constexpr std::string_view kOldFactorKey = "rope.scale_linear";
constexpr std::string_view kOriginalContextKey =
    "rope.scaling.original_context_length";
constexpr std::string_view kFinetunedKey = "rope.scaling.finetuned";
// What Ollama calls some of them, in files that it made of Gemma 3.
constexpr std::string_view kOllamaBaseKey = "rope.global.freq_base";
constexpr std::string_view kOllamaLocalBaseKey = "rope.local.freq_base";
constexpr std::string_view kOllamaTextGroup = "text.";
constexpr float kGemmaEpsilon = 1e-6f;

// All keys of an architecture that are read, after its name and a dot.
constexpr std::string_view kReadKeys[] = {
    "attention.head_count",
    "attention.head_count_kv",
    "attention.key_length",
    "attention.key_length_swa",
    "attention.value_length",
    "attention.value_length_swa",
    "block_count",
    "context_length",
    "embedding_length",
    "feed_forward_length",
    "rope.dimension_count",
    "rope.dimension_count_swa",
    "rope.scaling.attn_factor",
    kEpsilonKey,
    kWindowKey,
    kBaseKey,
    kLocalBaseKey,
    kScalingTypeKey,
    kScalingFactorKey,
    kOldFactorKey,
    kOriginalContextKey,
};

// The same where layers may be local.
constexpr std::string_view kLocalKeys[] = {kPatternKey, kOllamaBaseKey,
                                           kOllamaLocalBaseKey};

// Of state-space layers, in a file that has none.
constexpr std::string_view kStateSpaceGroup = "ssm.";

bool IsNameOfMultiplier(std::string_view name) {
  return std::any_of(
      std::begin(kMultipliers), std::end(kMultipliers),
      [name](const Multiplier& m) { return name == m.gguf_name; });
}

// Scores and logits have caps in the Gemma family alone, scores in those only
// whose silence is a cap.
bool ReadsScoreCap(const Architecture& architecture) {
  return architecture.score_cap != 0;
}
bool ReadsLogitCap(const Architecture& architecture) {
  return architecture.has_post_norms;
}

// Metadata of the architecture, by names without its own.
class Metadata {
 public:
  Metadata(const GgufReader& gguf, const Architecture& architecture)
      : gguf_(gguf),
        architecture_(architecture),
        prefix_(std::string(architecture.gguf_name) + ".") {}

  std::string Key(std::string_view name) const {
    const std::string key = prefix_ + std::string(name);
    const std::string grouped =
        prefix_ + std::string(kOllamaTextGroup) + std::string(name);
    return !gguf_.Has(key) && gguf_.Has(grouped) ? grouped : key;
  }
  bool Has(std::string_view name) const { return gguf_.Has(Key(name)); }
  bool IsArray(std::string_view name) const { return gguf_.IsArray(Key(name)); }
  Result<uint32_t> GetU32(std::string_view name) const {
    return gguf_.GetU32(Key(name));
  }
  Result<std::vector<uint32_t>> GetU32s(std::string_view name) const {
    return gguf_.GetU32s(Key(name));
  }
  // Of all layers, which may be said one by one.
  Result<uint32_t> GetOfLayers(std::string_view name,
                               uint32_t num_layers) const {
    return gguf_.GetSameU32(Key(name), num_layers);
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
  // Whether it is there and false.
  Result<bool> IsFalse(std::string_view name) const {
    if (!Has(name)) return false;
    const auto flag = gguf_.FindNumber(Key(name));
    if (!flag) return KeyError(name, "is neither true nor false");
    return *flag == 0;
  }
  Error KeyError(std::string_view name, const std::string& what) const {
    return Unsupported("metadata " + Key(name) + " " + what);
  }

  // Sets whether there is something for other senses than reading.
  Status CheckKeys(bool& has_other_senses) const {
    for (const auto& [key, value] : gguf_.values()) {
      if (!key.starts_with(prefix_)) continue;
      std::string_view name = key.substr(prefix_.size());
      if (name.starts_with(kOllamaTextGroup)) {
        name.remove_prefix(kOllamaTextGroup.size());
      }
      if (IsKeyOfOtherSenses(name)) {
        has_other_senses = true;
      } else if (!IsRead(name)) {
        LLMA_TRY(CheckUnreadKey(gguf_, std::string(key), name));
      }
    }
    return OkStatus();
  }

 private:
  bool IsRead(std::string_view name) const {
    const auto is_in = [name](const auto& names) {
      return std::find(std::begin(names), std::end(names), name) !=
             std::end(names);
    };
    return is_in(kReadKeys) ||
           (architecture_.global_period != 0 && is_in(kLocalKeys)) ||
           (architecture_.has_multipliers && IsNameOfMultiplier(name)) ||
           (architecture_.is_kin_of_hybrids &&
            (name == kFinetunedKey || name.starts_with(kStateSpaceGroup))) ||
           (ReadsScoreCap(architecture_) && name == kScoreCapKey) ||
           (ReadsLogitCap(architecture_) && name == kLogitCapKey);
  }

  const GgufReader& gguf_;
  const Architecture& architecture_;
  const std::string prefix_;
};

Result<const Architecture*> ReadArchitecture(const GgufReader& gguf) {
  LLMA_ASSIGN(const auto name, gguf.GetString("general.architecture"));
  const Architecture* architecture = FindGgufArchitecture(name);
  if (architecture == nullptr) {
    return Unsupported("architecture " + std::string(name) +
                       std::string(WhyNotReadable(name)) + " (only " +
                       GgufArchitectureNames() + " can be read)");
  }
  return architecture;
}

// Sizes of heads that must be all the same; 0 is silence.
Status CheckHeadSizes(const Metadata& metadata, uint32_t head_dim) {
  for (const char* name :
       {"attention.value_length", "rope.dimension_count",
        "attention.key_length_swa", "attention.value_length_swa",
        "rope.dimension_count_swa"}) {
    LLMA_ASSIGN(const uint32_t size, metadata.GetU32Or(name, 0));
    if (size != 0 && size != head_dim) {
      return Unsupported(metadata.Key(name) + " differs from the key length");
    }
  }
  return OkStatus();
}

Status ReadSizes(const Metadata& metadata, const Architecture& architecture,
                 SourceModel& source) {
  ModelConfig& c = source.config;
  LLMA_ASSIGN(c.num_layers, metadata.GetU32("block_count"));
  LLMA_ASSIGN(c.dim, metadata.GetU32("embedding_length"));
  LLMA_ASSIGN(c.ffn_dim,
              metadata.GetOfLayers("feed_forward_length", c.num_layers));
  LLMA_ASSIGN(c.context_length, metadata.GetU32("context_length"));
  LLMA_ASSIGN(c.num_heads,
              metadata.GetOfLayers("attention.head_count", c.num_layers));
  constexpr std::string_view kKvHeads = "attention.head_count_kv";
  c.num_kv_heads = c.num_heads;
  if (metadata.Has(kKvHeads)) {
    LLMA_ASSIGN(c.num_kv_heads, metadata.GetOfLayers(kKvHeads, c.num_layers));
  }
  if (c.num_heads == 0) return Unsupported("no attention heads");
  LLMA_ASSIGN(c.head_dim,
              metadata.GetU32Or("attention.key_length", c.dim / c.num_heads));
  LLMA_TRY(CheckHeadSizes(metadata, c.head_dim));
  if (!metadata.Has(kEpsilonKey) && architecture.has_post_norms) {
    c.norm_eps = kGemmaEpsilon;
    source.notes.push_back("metadata " + metadata.Key(kEpsilonKey) +
                           " is missing: taken as 1e-6, which is the one of "
                           "this family");
    return OkStatus();
  }
  LLMA_ASSIGN(c.norm_eps, metadata.GetF32(kEpsilonKey));
  return OkStatus();
}

// Which layers are local, one by one.
Status ReadLocalLayers(const Metadata& metadata, uint32_t local_positions,
                       ModelConfig& c) {
  LLMA_ASSIGN(const auto are_local, metadata.GetU32s(kPatternKey));
  if (are_local.size() != c.num_layers || c.num_layers > kMaxLayers) {
    return metadata.KeyError(kPatternKey,
                             "does not have one value for each layer");
  }
  for (uint32_t i = 0; i < c.num_layers; ++i) {
    if (are_local[i] == 0 || local_positions == 0) continue;
    c.set_local(i);
    c.local_positions = local_positions;
  }
  return OkStatus();
}

Status ReadVariations(const Metadata& metadata,
                      const Architecture& architecture, ModelConfig& c) {
  ApplyArchitecture(architecture, c);
  if (ReadsScoreCap(architecture)) {
    LLMA_ASSIGN(c.score_cap,
                metadata.GetF32Or(kScoreCapKey, architecture.score_cap));
  }
  if (ReadsLogitCap(architecture)) {
    LLMA_ASSIGN(c.logit_cap,
                metadata.GetF32Or(kLogitCapKey, architecture.logit_cap));
  }
  if (architecture.wide_score_layers == c.num_layers) {
    c.score_divisor = std::sqrt(static_cast<float>(c.dim / c.num_heads));
  }
  LLMA_ASSIGN(
      const uint32_t local_positions,
      metadata.GetU32Or(kWindowKey, architecture.local_positions_in_gguf));
  if (architecture.global_period == 0) {
    if (local_positions != 0 && local_positions < c.context_length) {
      return metadata.KeyError(kWindowKey,
                               "is " + std::to_string(local_positions) +
                                   ": local layers of this architecture "
                                   "cannot be read");
    }
    ApplySizes(architecture, 0, 0, c);
    return OkStatus();
  }
  if (metadata.IsArray(kPatternKey)) {
    ApplySizes(architecture, 0, 0, c);
    return ReadLocalLayers(metadata, local_positions, c);
  }
  LLMA_ASSIGN(const uint32_t period, metadata.GetU32Or(kPatternKey, 0));
  ApplySizes(architecture, local_positions, period, c);
  return OkStatus();
}

Status ReadMultipliers(const Metadata& metadata, SourceModel& source) {
  for (const Multiplier& m : kMultipliers) {
    if (m.may_be_silent_in_gguf && !metadata.Has(m.gguf_name)) continue;
    LLMA_ASSIGN(const float value, metadata.GetF32(m.gguf_name));
    if (m.may_be_silent_in_gguf && value == 0) continue;
    if (!m.IsWithin(value)) {
      return metadata.KeyError(m.gguf_name, m.RangeError());
    }
    m.apply(value, source);
  }
  return OkStatus();
}

// By how much positions are stretched; 0 stands for not at all.
Result<float> ReadRopeFactor(const Metadata& metadata) {
  LLMA_ASSIGN(
      const float factor,
      metadata.GetF32Or(
          metadata.Has(kScalingFactorKey) ? kScalingFactorKey : kOldFactorKey,
          0));
  return factor == 0 ? 1.0f : factor;
}

// What silence means is what llama.cpp makes of it: a factor without a type is
// linear.
Result<RopeSpec> ReadRope(const Metadata& metadata, float base,
                          uint32_t context_length) {
  RopeSpec rope;
  rope.base = base;
  LLMA_ASSIGN(rope.attention_factor,
              metadata.GetF32Or("rope.scaling.attn_factor", 1));
  LLMA_ASSIGN(const auto type, metadata.GetStringOr(kScalingTypeKey, "linear"));
  if (type == "none") return rope;
  LLMA_ASSIGN(rope.factor, ReadRopeFactor(metadata));
  if (type == "linear") {
    if (rope.factor != 1) rope.scaling = RopeScaling::kLinear;
    return rope;
  }
  if (type != "yarn") {
    return metadata.KeyError(
        kScalingTypeKey,
        "is " + std::string(type) + " (only none, linear, yarn can be read)");
  }
  if (rope.factor == 1) return rope;
  rope.scaling = RopeScaling::kYarn;
  LLMA_ASSIGN(const uint32_t positions,
              metadata.GetU32Or(kOriginalContextKey, context_length));
  rope.original_positions = static_cast<float>(positions);
  return rope;
}

Status ReadRopes(const Metadata& metadata, const Architecture& architecture,
                 bool is_of_ollama, SourceModel& source) {
  if (architecture.is_kin_of_hybrids) {
    LLMA_ASSIGN(const bool has_no_rope, metadata.IsFalse(kFinetunedKey));
    if (has_no_rope) {
      return metadata.KeyError(
          kFinetunedKey, "is false: attention without RoPE cannot be read");
    }
  }
  // What GGUF means by silence, and what Ollama does.
  float base = is_of_ollama ? architecture.rope_base : 10000;
  LLMA_ASSIGN(base,
              metadata.GetF32Or(
                  metadata.Has(kBaseKey) ? kBaseKey : kOllamaBaseKey, base));
  LLMA_ASSIGN(source.rope,
              ReadRope(metadata, base, source.config.context_length));
  source.local_rope = source.rope;
  if (architecture.local_rope_base != 0) {
    source.local_rope = RopeSpec();
    source.local_rope.base = architecture.local_rope_base;
    source.local_rope.attention_factor = source.rope.attention_factor;
  }
  LLMA_ASSIGN(
      source.local_rope.base,
      metadata.GetF32Or(
          metadata.Has(kLocalBaseKey) ? kLocalBaseKey : kOllamaLocalBaseKey,
          source.local_rope.base));
  return OkStatus();
}

}  // namespace

Status ReadGgufConfig(const GgufReader& gguf, SourceModel& source) {
  LLMA_ASSIGN(const Architecture* architecture, ReadArchitecture(gguf));
  const Metadata metadata(gguf, *architecture);
  bool has_other_senses = false;
  LLMA_TRY(metadata.CheckKeys(has_other_senses));
  if (has_other_senses) {
    source.notes.push_back(
        "the parts that do not read text are left out: they are of no use "
        "here");
  }
  source.architecture = architecture;
  LLMA_TRY(ReadSizes(metadata, *architecture, source));
  LLMA_TRY(ReadVariations(metadata, *architecture, source.config));
  if (architecture->has_multipliers) {
    LLMA_TRY(ReadMultipliers(metadata, source));
  }
  const bool is_of_ollama = architecture->local_rope_base != 0 &&
                            (metadata.Has(kOllamaLocalBaseKey) ||
                             has_other_senses || !metadata.Has(kEpsilonKey));
  LLMA_TRY(ReadRopes(metadata, *architecture, is_of_ollama, source));
  source.has_adjacent_rope_pairs = architecture->has_adjacent_pairs_in_gguf;
  source.vocabulary.starts_with_begin = architecture->starts_with_begin;
  return OkStatus();
}

}  // namespace llma
