// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/hf_config.h"

#include <algorithm>
#include <cmath>
#include <string>

#include "importer/convert/architecture.h"
#include "importer/convert/multipliers.h"
#include "importer/hf/hf_keys.h"
#include "importer/hf/hf_rope.h"
#include "importer/hf/json_fields.h"

namespace llma {
namespace {

Result<const Architecture*> ReadArchitecture(const JsonFields& fields) {
  LLMA_ASSIGN(const auto type, fields.GetString("model_type"));
  const Architecture* architecture = FindModelType(type);
  if (architecture == nullptr) {
    return fields.FieldError("model_type",
                             "is " + std::string(type) +
                                 std::string(WhyNotReadable(type)) + " (only " +
                                 ModelTypeNames() + " can be read)");
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

Status CheckActivation(const JsonFields& fields, Activation activation) {
  const bool is_gelu = activation == Activation::kGeluTanh;
  const std::string expected = is_gelu ? "gelu_pytorch_tanh" : "silu";
  for (const char* key : {"hidden_act", "hidden_activation"}) {
    LLMA_ASSIGN(const auto name, fields.GetStringOr(key, expected));
    if (name != expected) return fields.FieldError(key, "is not " + expected);
  }
  return OkStatus();
}

Status CheckVariations(const JsonFields& fields) {
  // rope_interleaved is of the program that trained SmolLM.
  for (const char* flag :
       {"attention_bias", "mlp_bias", "rope_interleaved", "use_sliding_window",
        "use_bidirectional_attention"}) {
    LLMA_ASSIGN(const bool is_set, fields.GetBoolOr(flag, false));
    if (is_set) return fields.FieldError(flag, "is not supported");
  }
  for (const char* key : {"quantization_config", "auto_map"}) {
    if (fields.Has(key)) return fields.FieldError(key, "is not supported");
  }
  return OkStatus();
}

Result<uint32_t> ReadSize(const JsonFields& fields, const char* key,
                          uint32_t otherwise) {
  if (otherwise == 0) return fields.GetU32(key);
  return fields.GetU32Or(key, otherwise);
}

// The numbers that follow from dim and num_heads are read after them.
Status ReadSizes(const JsonFields& fields, const Architecture& silence,
                 ModelConfig& c) {
  LLMA_ASSIGN(c.num_layers, fields.GetU32("num_hidden_layers"));
  LLMA_ASSIGN(c.dim, fields.GetU32("hidden_size"));
  LLMA_ASSIGN(c.ffn_dim, fields.GetU32("intermediate_size"));
  LLMA_ASSIGN(c.num_heads,
              ReadSize(fields, "num_attention_heads", silence.num_heads));
  if (c.num_heads == 0) return fields.FieldError("num_attention_heads", "is 0");
  LLMA_ASSIGN(c.num_kv_heads,
              fields.GetU32Or("num_key_value_heads", silence.num_kv_heads != 0
                                                         ? silence.num_kv_heads
                                                         : c.num_heads));
  LLMA_ASSIGN(
      c.head_dim,
      fields.GetU32Or("head_dim", silence.head_dim != 0 ? silence.head_dim
                                                        : c.dim / c.num_heads));
  LLMA_ASSIGN(c.context_length, fields.GetU32Or("max_position_embeddings",
                                                silence.context_length));
  LLMA_ASSIGN(c.norm_eps, fields.GetF32Or("rms_norm_eps", 1e-6f));
  LLMA_ASSIGN(c.tied_head,
              fields.GetBoolOr("tie_word_embeddings", silence.has_tied_head));
  return OkStatus();
}

constexpr const char* kLayerTypes = "layer_types";

Status CheckAllSeeAll(const JsonFields& fields, const JsonValue::Array& types) {
  for (const JsonValue& type : types) {
    if (type.AsString() == nullptr || *type.AsString() != "full_attention") {
      return fields.FieldError(kLayerTypes,
                               "has a type that is not supported here");
    }
  }
  return OkStatus();
}

// Local layers by "layer_types", if that is there; else one layer in every
// few is global.
Status ReadLayerTypes(const JsonFields& fields, bool can_be_local,
                      ModelConfig& c) {
  if (!fields.Has(kLayerTypes)) return OkStatus();
  LLMA_ASSIGN(const auto* types, fields.GetArray(kLayerTypes));
  if (!c.has_local_layers()) {
    return can_be_local ? OkStatus() : CheckAllSeeAll(fields, *types);
  }
  if (types->size() != c.num_layers || c.num_layers > kMaxLayers) {
    return fields.FieldError(kLayerTypes, "does not have one for each layer");
  }
  const uint32_t local_positions = c.local_positions;
  c.local_positions = 0;
  c.local_layers = {};
  for (uint32_t i = 0; i < c.num_layers; ++i) {
    const std::string* type = (*types)[i].AsString();
    if (type != nullptr && *type == "full_attention") continue;
    if (type == nullptr || *type != "sliding_attention") {
      return fields.FieldError(kLayerTypes, "has a type that is not known");
    }
    c.set_local(i);
    c.local_positions = local_positions;
  }
  return OkStatus();
}

// null, which is not silence, stands for none.
Result<float> ReadCap(const JsonFields& fields, const char* key,
                      float otherwise) {
  return fields.GetF32Or(key, fields.IsNull(key) ? 0 : otherwise);
}

Status ReadVariations(const JsonFields& fields,
                      const Architecture& architecture, ModelConfig& c) {
  ApplyArchitecture(architecture, c);
  uint32_t local_positions = 0, period = 0;
  if (architecture.global_period != 0) {
    constexpr const char* kWindow = "sliding_window";
    LLMA_ASSIGN(local_positions,
                fields.GetU32Or(kWindow, fields.IsNull(kWindow)
                                             ? 0
                                             : architecture.local_positions));
    for (const char* key :
         {"sliding_window_pattern", "_sliding_window_pattern"}) {
      LLMA_ASSIGN(period, fields.GetU32Or(key, period));
    }
  }
  ApplySizes(architecture, local_positions, period, c);
  LLMA_TRY(ReadLayerTypes(fields, architecture.global_period != 0, c));
  if (!architecture.scales_embedding) {
    for (const char* key :
         {"attn_logit_softcapping", "final_logit_softcapping"}) {
      LLMA_ASSIGN(const float cap, fields.GetF32Or(key, 0));
      if (cap != 0) return fields.FieldError(key, "is not supported");
    }
    return OkStatus();
  }
  // What only Gemma's have.
  LLMA_ASSIGN(
      const float scalar,
      fields.GetF32Or("query_pre_attn_scalar", static_cast<float>(c.head_dim)));
  if (scalar != static_cast<float>(c.head_dim)) {
    // Written so that NaN fails, and negative numbers.
    if (!(scalar >= 1)) {
      return fields.FieldError("query_pre_attn_scalar", "is below 1");
    }
    c.score_divisor = std::sqrt(scalar);
  }
  LLMA_ASSIGN(c.score_cap, ReadCap(fields, "attn_logit_softcapping",
                                   architecture.score_cap));
  LLMA_ASSIGN(c.logit_cap, ReadCap(fields, "final_logit_softcapping",
                                   architecture.logit_cap));
  return OkStatus();
}

Status ReadMultipliers(const JsonFields& fields, SourceModel& source) {
  for (const Multiplier& m : kMultipliers) {
    if (fields.IsNull(m.field)) return fields.FieldError(m.field, "is null");
    LLMA_ASSIGN(const float value, fields.GetF32Or(m.field, 1));
    if (!m.IsWithin(value)) return fields.FieldError(m.field, m.RangeError());
    m.apply(value, source);
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
  // Models that see pictures, too, have the text's part in an object.
  const JsonValue* text = json.Find("text_config");
  const bool is_part = text != nullptr && text->AsObject() != nullptr;
  const JsonFields fields(is_part ? *text : json, is_part ? "text_config" : "");
  LLMA_ASSIGN(const Architecture* architecture, ReadArchitecture(fields));
  source.architecture = architecture;
  LLMA_TRY(CheckUnreadFields(is_part ? *text : json, fields, *architecture,
                             source.notes));
  LLMA_TRY(CheckVariations(fields));
  LLMA_TRY(CheckActivation(fields, architecture->activation));
  ModelConfig& c = source.config;
  LLMA_TRY(ReadSizes(fields, *architecture, c));
  LLMA_TRY(ReadVariations(fields, *architecture, c));
  if (architecture->has_multipliers) LLMA_TRY(ReadMultipliers(fields, source));
  LLMA_TRY(ReadHfRope(fields, *architecture, source));
  if (architecture->norms_lack_one_in_folders) source.norm_offset = 1;
  SourceVocabulary& v = source.vocabulary;
  v.starts_with_begin = architecture->starts_with_begin;
  LLMA_ASSIGN(v.begin_id, ReadTokenId(fields, "bos_token_id"));
  LLMA_ASSIGN(v.end_id, ReadTokenId(fields, "eos_token_id"));
  return OkStatus();
}

}  // namespace llma
