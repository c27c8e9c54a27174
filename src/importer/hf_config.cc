// SPDX-License-Identifier: Apache-2.0
#include "importer/hf_config.h"

#include <algorithm>
#include <string>

#include "importer/architecture.h"
#include "importer/json_fields.h"

namespace llma {
namespace {

Result<const Architecture*> ReadArchitecture(const JsonFields& fields) {
  LLMA_ASSIGN(const auto type, fields.GetString("model_type"));
  const Architecture* architecture = FindModelType(type);
  if (architecture == nullptr) {
    return fields.FieldError("model_type", "is " + std::string(type) +
                                               " (only " + ModelTypeNames() +
                                               " can be read)");
  }
  if (fields.Has("architectures")) {
    LLMA_ASSIGN(const auto* names, fields.GetArray("architectures"));
    const bool found =
        std::any_of(names->begin(), names->end(), [&](const JsonValue& name) {
          return name.AsString() != nullptr &&
                 *name.AsString() == architecture->class_name;
        });
    if (!found) {
      return fields.FieldError("architectures", std::string("does not name ") +
                                                    architecture->class_name);
    }
  }
  return architecture;
}

Status CheckVariations(const JsonFields& fields) {
  LLMA_ASSIGN(const auto activation, fields.GetStringOr("hidden_act", "silu"));
  if (activation != "silu") {
    return fields.FieldError("hidden_act", "is not silu");
  }
  // rope_interleaved is of the program that trained SmolLM.
  for (const char* flag : {"attention_bias", "mlp_bias", "rope_interleaved",
                           "use_sliding_window"}) {
    LLMA_ASSIGN(const bool is_set, fields.GetBoolOr(flag, false));
    if (is_set) return fields.FieldError(flag, "is not supported");
  }
  for (const char* key : {"quantization_config", "auto_map"}) {
    if (fields.Has(key)) return fields.FieldError(key, "is not supported");
  }
  return OkStatus();
}

// Fails unless `key`, if it is there, describes RoPE as it was published.
Status CheckRope(const JsonFields& fields, const char* key) {
  if (!fields.Has(key)) return OkStatus();
  LLMA_ASSIGN(const JsonValue* rope, fields.GetObject(key));
  const JsonFields rope_fields(*rope, key);
  for (const char* type_key : {"rope_type", "type"}) {
    LLMA_ASSIGN(const auto type, rope_fields.GetStringOr(type_key, "default"));
    if (type != "default") {
      return rope_fields.FieldError(
          type_key, "is " + std::string(type) + " (only default can be read)");
    }
  }
  LLMA_ASSIGN(const float part,
              rope_fields.GetF32Or("partial_rotary_factor", 1));
  if (part != 1) {
    return rope_fields.FieldError("partial_rotary_factor", "is not 1");
  }
  return OkStatus();
}

// A token id, or the first of several.
Result<std::optional<uint32_t>> ReadTokenId(const JsonFields& fields,
                                            const char* key) {
  const JsonValue* value = fields.Find(key);
  if (value == nullptr) return std::optional<uint32_t>();
  if (const auto* several = value->AsArray()) {
    if (several->empty()) return std::optional<uint32_t>();
    value = &several->front();
  }
  const auto id = value->AsCount();
  if (!id || *id > UINT32_MAX) return fields.FieldError(key, "is no token id");
  return std::optional<uint32_t>(static_cast<uint32_t>(*id));
}

}  // namespace

Status ReadHfConfig(const JsonValue& json, SourceModel& source) {
  const JsonFields fields(json);
  LLMA_ASSIGN(const Architecture* architecture, ReadArchitecture(fields));
  LLMA_TRY(CheckVariations(fields));
  ModelConfig& c = source.config;
  ApplyArchitecture(*architecture, c);
  LLMA_ASSIGN(c.num_layers, fields.GetU32("num_hidden_layers"));
  LLMA_ASSIGN(c.dim, fields.GetU32("hidden_size"));
  LLMA_ASSIGN(c.ffn_dim, fields.GetU32("intermediate_size"));
  LLMA_ASSIGN(c.num_heads, fields.GetU32("num_attention_heads"));
  if (c.num_heads == 0) return fields.FieldError("num_attention_heads", "is 0");
  LLMA_ASSIGN(c.num_kv_heads,
              fields.GetU32Or("num_key_value_heads", c.num_heads));
  LLMA_ASSIGN(c.head_dim, fields.GetU32Or("head_dim", c.dim / c.num_heads));
  // What the architecture means by silence.
  LLMA_ASSIGN(c.context_length,
              fields.GetU32Or("max_position_embeddings", 2048));
  LLMA_ASSIGN(c.norm_eps, fields.GetF32Or("rms_norm_eps", 1e-6f));
  LLMA_ASSIGN(c.tied_head, fields.GetBoolOr("tie_word_embeddings", false));
  LLMA_TRY(CheckRope(fields, "rope_scaling"));
  LLMA_TRY(CheckRope(fields, "rope_parameters"));
  LLMA_ASSIGN(source.rope_base, fields.GetF32Or("rope_theta", 10000));
  if (const JsonValue* rope = fields.Find("rope_parameters")) {
    LLMA_ASSIGN(source.rope_base,
                JsonFields(*rope, "rope_parameters")
                    .GetF32Or("rope_theta", source.rope_base));
  }
  LLMA_ASSIGN(source.vocabulary.begin_id, ReadTokenId(fields, "bos_token_id"));
  LLMA_ASSIGN(source.vocabulary.end_id, ReadTokenId(fields, "eos_token_id"));
  return OkStatus();
}

}  // namespace llma
