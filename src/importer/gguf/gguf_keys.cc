// SPDX-License-Identifier: Apache-2.0
#include "importer/gguf/gguf_keys.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace llma {
namespace {

// Whatever they say, the weights of the next token are the same.
constexpr std::string_view kIgnoredKeys[] = {
    "attention.group_norm_epsilon",  // of other kinds of norms
    "attention.group_norm_groups",
    "attention.layer_norm_epsilon",
    "classifier.output_labels",  // of what other models answer
    "decoder_start_token_id",
    "pooling_type",
    "rope.scaling.finetuned",  // how it was made
    "tensor_data_layout",
    "vocab_size",  // the tokens are counted
};

// Parts of experts, of which there are none without expert_count.
constexpr std::string_view kExpertPrefixes[] = {"expert_", "experts_",
                                                "router_"};
constexpr std::string_view kExpertCount = "expert_count";

// Numbers that say nothing, where that is not 0.
struct NeutralNumber {
  std::string_view name;
  double value;
};

constexpr NeutralNumber kNeutralNumbers[] = {
    {"activation.situ_beta", 1},
    {"attention.causal", 1},
    {"attention.indexer.kpool_select_tail", 1},
    {"attention.output_scale", 1},
    {"attention.rope_pattern", 1},
    {"attention.temperature_scale", 1},
    {"attention.value_scale", 1},
    {"embedding_scale", 1},
    {"kda.gate_lower_bound", -std::numeric_limits<double>::infinity()},
    {"logit_scale", 1},
    {"residual_scale", 1},
    {"token_shift_count", 2},
    // What llama.cpp writes for models that have none.
    {"attn_logit_softcapping", 50},
    {"final_logit_softcapping", 30},
    // What YaRN means by silence.
    {"rope.scaling.yarn_attn_factor", 1},
    {"rope.scaling.yarn_beta_fast", 32},
    {"rope.scaling.yarn_beta_slow", 1},
    {"rope.scaling.yarn_ext_factor", -1},
    {"rope.scaling.yarn_ext_factor", 1},
};

// Of no effect only if they are 1: GGUF's other meanings of 0 are listed above.
constexpr std::string_view kMustBeTrue = "attention.causal";

bool StartsWithAny(std::string_view name, const auto& prefixes) {
  return std::any_of(
      std::begin(prefixes), std::end(prefixes),
      [name](std::string_view prefix) { return name.starts_with(prefix); });
}

}  // namespace

Status CheckUnreadKey(const GgufReader& gguf, const std::string& key,
                      std::string_view name) {
  if (std::find(std::begin(kIgnoredKeys), std::end(kIgnoredKeys), name) !=
      std::end(kIgnoredKeys)) {
    return OkStatus();
  }
  if (name != kMustBeTrue && gguf.IsEmptyValue(key)) return OkStatus();
  const auto number = gguf.FindNumber(key);
  for (const NeutralNumber& neutral : kNeutralNumbers) {
    if (neutral.name == name && number && *number == neutral.value) {
      return OkStatus();
    }
  }
  if (name != kExpertCount && StartsWithAny(name, kExpertPrefixes)) {
    // Where there are some, their count is refused.
    return OkStatus();
  }
  return Error{ErrorCode::kUnsupported, "metadata " + key + " is " +
                                            gguf.ValueText(key) +
                                            ", which is not supported"};
}

bool IsKeyOfOtherSenses(std::string_view name) {
  constexpr std::string_view kPrefixes[] = {"audio.", "mm.", "vision."};
  return StartsWithAny(name, kPrefixes);
}

bool IsTensorOfOtherSenses(std::string_view name) {
  constexpr std::string_view kPrefixes[] = {"a.", "mm.", "v."};
  return StartsWithAny(name, kPrefixes);
}

}  // namespace llma
