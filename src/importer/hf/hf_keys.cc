// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/hf_keys.h"

#include <algorithm>
#include <string_view>

#include "importer/convert/multipliers.h"

namespace llma {
namespace {

constexpr std::string_view kReadFields[] = {
    "_sliding_window_pattern",
    "architectures",
    "attention_bias",
    "attn_logit_softcapping",
    "auto_map",
    "bos_token_id",
    "eos_token_id",
    "final_logit_softcapping",
    "head_dim",
    "hidden_act",
    "hidden_activation",
    "hidden_size",
    "intermediate_size",
    "layer_types",
    "max_position_embeddings",
    "mlp_bias",
    "model_type",
    "num_attention_heads",
    "num_hidden_layers",
    "num_key_value_heads",
    "quantization_config",
    "query_pre_attn_scalar",
    "rms_norm_eps",
    "rope_interleaved",
    "rope_local_base_freq",
    "rope_parameters",
    "rope_scaling",
    "rope_theta",
    "sliding_window",
    "sliding_window_pattern",
    "tie_word_embeddings",
    "use_bidirectional_attention",
    "use_sliding_window",
};

// Of training, loading, sampling and other uses; the tokens are counted.
constexpr std::string_view kIgnoredFields[] = {
    "_attn_implementation",
    "_attn_implementation_autoset",
    "_commit_hash",
    "_name_or_path",
    "attention_dropout",
    "attn_implementation",
    "cache_implementation",
    "chunk_size_feed_forward",
    "decoder_start_token_id",
    "do_sample",
    "dtype",
    "embd_pdrop",
    "finetuning_task",
    "forced_bos_token_id",
    "forced_eos_token_id",
    "hidden_dropout",
    "id2label",
    "initializer_range",
    "is_decoder",
    "is_llama_config",
    "keys_to_ignore_at_inference",
    "label2id",
    "length_penalty",
    "max_length",
    "max_window_layers",
    "min_length",
    "model_max_length",
    "num_beams",
    "num_return_sequences",
    "output_attentions",
    "output_hidden_states",
    "pad_token_id",
    "prefix",
    "problem_type",
    "repetition_penalty",
    "resid_pdrop",
    "return_dict",
    "sep_token_id",
    "task_specific_params",
    "temperature",
    "tokenizer_class",
    "top_k",
    "top_p",
    "torch_dtype",
    "torchscript",
    "transformers.js_config",
    "transformers_version",
    "typical_p",
    "unk_token_id",
    "unsloth_fixed",
    "unsloth_version",
    "use_cache",
    "vocab_size",
};

// Of other families of models: these change the weights of the next token, but
// not if they are null, false, 0, empty or 1.
constexpr std::string_view kChangingParts[] = {
    "alibi",
    "attention_multiplier",
    "attention_scale",
    "attn_scale",
    "clip_qkv",
    "embedding_multiplier",
    "embedding_scale",
    "expert",
    "layernorm_scale",
    "logit_scale",
    "logits_scaling",
    "lora_rank",
    "mamba",
    "moe",
    "mup",
    "no_rope_layer",
    "norm_type",
    "parallel_attn",
    "parallel_block",
    "parallel_residual",
    "partial_rotary_factor",
    "qk_layernorm",
    "qk_norm",
    "qkv_bias",
    "residual_multiplier",
    "residual_scale",
    "rope_percent",
    "rotary_dim",
    "rotary_pct",
    "scale_depth",
    "scale_emb",
    "softcap",
    "temperature_tuning",
    "use_bias",
};

// Splits sums into parts: the result is the same but for its rounding.
constexpr std::string_view kPretrainingField = "pretraining_tp";

bool IsIn(std::string_view name, const auto& names) {
  return std::find(std::begin(names), std::end(names), name) != std::end(names);
}

bool IsNameOfMultiplier(std::string_view name) {
  return std::any_of(std::begin(kMultipliers), std::end(kMultipliers),
                     [name](const Multiplier& m) { return name == m.field; });
}

bool SaysNothing(const JsonValue& value) {
  if (value.IsNull()) return true;
  if (const bool* flag = value.AsBool()) return !*flag;
  if (const std::string* text = value.AsString()) return text->empty();
  if (const auto* array = value.AsArray()) return array->empty();
  if (const auto* object = value.AsObject()) return object->empty();
  return value.AsNumber().value_or(1) == 0;
}

bool IsOne(const JsonValue& value) { return value.AsNumber().value_or(0) == 1; }

}  // namespace

Status CheckUnreadFields(const JsonValue& config, const JsonFields& fields,
                         const Architecture& architecture,
                         std::vector<std::string>& notes) {
  if (config.AsObject() == nullptr) return OkStatus();
  std::string unknown;
  for (const auto& [name, value] : *config.AsObject()) {
    if (IsIn(name, kReadFields) || IsIn(name, kIgnoredFields) ||
        (architecture.has_multipliers && IsNameOfMultiplier(name)) ||
        SaysNothing(value)) {
      continue;
    }
    if (name == kPretrainingField) {
      if (!IsOne(value)) {
        notes.push_back("field " + name +
                        " is left out: sums are not split, which changes "
                        "their rounding alone");
      }
      continue;
    }
    const bool changes = std::ranges::any_of(
        kChangingParts, [&name = name](std::string_view part) {
          return name.find(part) != std::string::npos;
        });
    if (changes && !IsOne(value)) {
      return fields.FieldError(name, "is not supported");
    }
    if (!changes) unknown += (unknown.empty() ? "" : ", ") + name;
  }
  if (!unknown.empty()) {
    notes.push_back("not known, and left out, are the fields " + unknown);
  }
  return OkStatus();
}

}  // namespace llma
