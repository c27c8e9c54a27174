// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/hf_rope.h"

#include <string>

namespace llma {
namespace {

constexpr const char* kParameters = "rope_parameters";
constexpr const char* kAllLayers = "full_attention";
constexpr const char* kLocalLayers = "sliding_attention";

Result<std::string_view> ReadType(const JsonFields& rope) {
  LLMA_ASSIGN(const auto old, rope.GetStringOr("type", "default"));
  return rope.GetStringOr("rope_type", old);
}

// What differs from the numbers of a method would be computed otherwise.
Status CheckIs(const JsonFields& rope, const char* key, float expected) {
  LLMA_ASSIGN(const float value, rope.GetF32Or(key, expected));
  if (value == expected) return OkStatus();
  return rope.FieldError(key, "is not " + std::to_string(expected));
}

// Reads over what `spec` has: the base, and how positions are stretched.
Status ReadParameters(const JsonFields& rope, uint32_t context_length,
                      RopeSpec& spec) {
  LLMA_ASSIGN(spec.base, rope.GetF32Or("rope_theta", spec.base));
  LLMA_TRY(CheckIs(rope, "partial_rotary_factor", 1));
  LLMA_ASSIGN(const auto type, ReadType(rope));
  if (type == "default") return OkStatus();
  if (type != "linear" && type != "llama3" && type != "yarn") {
    return rope.FieldError(rope.Has("rope_type") ? "rope_type" : "type",
                           "is " + std::string(type) +
                               " (only default, linear, llama3, yarn can be "
                               "read)");
  }
  if (!rope.Has("factor")) return rope.FieldError("factor", "is missing");
  LLMA_ASSIGN(spec.factor, rope.GetF32Or("factor", 1));
  if (type == "linear") {
    spec.scaling = RopeScaling::kLinear;
    return OkStatus();
  }
  LLMA_ASSIGN(
      const uint32_t positions,
      rope.GetU32Or("original_max_position_embeddings", context_length));
  spec.original_positions = static_cast<float>(positions);
  if (type == "llama3") {
    spec.scaling = RopeScaling::kLlama3;
    LLMA_ASSIGN(spec.low_frequency,
                rope.GetF32Or("low_freq_factor", spec.low_frequency));
    LLMA_ASSIGN(spec.high_frequency,
                rope.GetF32Or("high_freq_factor", spec.high_frequency));
    return OkStatus();
  }
  spec.scaling = RopeScaling::kYarn;
  LLMA_ASSIGN(spec.slow_beta, rope.GetF32Or("beta_slow", spec.slow_beta));
  LLMA_ASSIGN(spec.fast_beta, rope.GetF32Or("beta_fast", spec.fast_beta));
  for (const char* key : {"mscale", "mscale_all_dim", "attention_factor"}) {
    if (rope.Has(key)) return rope.FieldError(key, "is not supported");
  }
  LLMA_ASSIGN(const bool truncates, rope.GetBoolOr("truncate", true));
  if (!truncates) return rope.FieldError("truncate", "is not set");
  return OkStatus();
}

Status ReadObject(const JsonFields& fields, const char* key,
                  const std::string& path, uint32_t context_length,
                  RopeSpec& spec) {
  if (!fields.Has(key)) return OkStatus();
  LLMA_ASSIGN(const JsonValue* rope, fields.GetObject(key));
  return ReadParameters(JsonFields(*rope, path), context_length, spec);
}

}  // namespace

Status ReadHfRope(const JsonFields& fields, const Architecture& architecture,
                  SourceModel& source) {
  const uint32_t context_length = source.config.context_length;
  LLMA_ASSIGN(source.rope.base,
              fields.GetF32Or("rope_theta", architecture.rope_base));
  LLMA_TRY(ReadObject(fields, "rope_scaling", "rope_scaling", context_length,
                      source.rope));
  const bool has_own_local_rope = architecture.local_rope_base != 0;
  if (has_own_local_rope) {
    LLMA_ASSIGN(
        source.local_rope.base,
        fields.GetF32Or("rope_local_base_freq", architecture.local_rope_base));
  }
  const JsonValue* parameters = fields.Find(kParameters);
  if (parameters != nullptr && (parameters->Find(kAllLayers) != nullptr ||
                                parameters->Find(kLocalLayers) != nullptr)) {
    if (!has_own_local_rope) {
      return fields.FieldError(kParameters, "is by kinds of layers");
    }
    const JsonFields by_kind(*parameters, kParameters);
    LLMA_TRY(ReadObject(by_kind, kAllLayers,
                        std::string(kParameters) + "." + kAllLayers,
                        context_length, source.rope));
    LLMA_TRY(ReadObject(by_kind, kLocalLayers,
                        std::string(kParameters) + "." + kLocalLayers,
                        context_length, source.local_rope));
    return OkStatus();
  }
  LLMA_TRY(ReadObject(fields, kParameters, kParameters, context_length,
                      source.rope));
  if (!has_own_local_rope) source.local_rope = source.rope;
  return OkStatus();
}

}  // namespace llma
