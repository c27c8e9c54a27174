// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/peft_config.h"

#include <algorithm>
#include <iterator>

#include "importer/convert/unsupported.h"
#include "importer/hf/json_fields.h"

namespace llma {
namespace {

// Whether a field says nothing: it is missing, null, false, empty or "none".
bool IsNeutral(const JsonValue& value) {
  if (value.IsNull()) return true;
  if (value.AsBool() != nullptr) return !*value.AsBool();
  if (value.AsString() != nullptr) {
    return value.AsString()->empty() || *value.AsString() == "none";
  }
  if (value.AsArray() != nullptr) return value.AsArray()->empty();
  if (value.AsObject() != nullptr) return value.AsObject()->empty();
  return false;
}

// Of these what is there says how the adapter was trained or stored, or is
// read elsewhere.
constexpr std::string_view kHarmlessFields[] = {
    "alpha_pattern",
    "auto_mapping",
    "base_model_name_or_path",
    "bias",
    "eva_config",
    "exclude_modules",
    "inference_mode",
    "layers_pattern",
    "layers_to_transform",
    "lora_alpha",
    "lora_dropout",
    "megatron_core",
    "modules_to_save",
    "peft_type",
    "peft_version",
    "qalora_group_size",
    "r",
    "rank_pattern",
    "revision",
    "runtime_config",
    "target_modules",
    "task_type",
    "use_rslora",
    "init_lora_weights",
    "ensure_weight_tying",
};
// Ways to start that leave the base model as it is.
constexpr std::string_view kHarmlessStarts[] = {"gaussian", "eva",
                                                "orthogonal"};

Status CheckFields(const JsonValue& json) {
  for (const auto& [key, value] : *json.AsObject()) {
    if (std::ranges::find(kHarmlessFields, key) != std::end(kHarmlessFields)) {
      continue;
    }
    if (IsNeutral(value)) continue;
    return Unsupported(key + " is not supported" + kHowToMerge);
  }
  if (const JsonValue* start = json.Find("init_lora_weights");
      start != nullptr && start->AsString() != nullptr &&
      std::ranges::find(kHarmlessStarts, *start->AsString()) ==
          std::end(kHarmlessStarts)) {
    return Unsupported("init_lora_weights = " + *start->AsString() +
                       " changes the base model, which is not supported" +
                       kHowToMerge);
  }
  return OkStatus();
}

// Whether `name` is the end of a module's name, after a dot.
bool IsEndOf(std::string_view name, std::string_view module) {
  return module == name ||
         (module.size() > name.size() && module.ends_with(name) &&
          module[module.size() - name.size() - 1] == '.');
}

// rank_pattern or alpha_pattern. Keys are regular expressions; those that are
// names match at the end of a module's name, after a dot.
Status ReadPattern(const JsonFields& fields, std::string_view key,
                   std::vector<std::pair<std::string, double>>& out) {
  const JsonValue* pattern = fields.Find(key);
  if (pattern == nullptr) return OkStatus();
  if (pattern->AsObject() == nullptr) {
    return fields.FieldError(key, "is not an object");
  }
  for (const auto& [module, value] : *pattern->AsObject()) {
    const auto number = value.AsNumber();
    const bool is_name = std::ranges::all_of(module, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
             (c >= '0' && c <= '9') || c == '_' || c == '.';
    });
    if (!number || !is_name) {
      return fields.FieldError(key, "has the entry '" + module +
                                        "', which is not supported" +
                                        kHowToMerge);
    }
    out.emplace_back(module, *number);
  }
  // The first one in the file counts, which is not known here.
  for (const auto& [module, value] : out) {
    for (const auto& [end, other] : out) {
      if (value == other || !IsEndOf(end, module)) continue;
      return fields.FieldError(key, "has the entries '" + module + "' and '" +
                                        end + "', which are both of some " +
                                        "modules" + kHowToMerge);
    }
  }
  return OkStatus();
}

}  // namespace

double FindInPattern(const std::vector<std::pair<std::string, double>>& pattern,
                     std::string_view module, double otherwise) {
  for (const auto& [name, value] : pattern) {
    if (IsEndOf(name, module)) return value;
  }
  return otherwise;
}

Result<PeftConfig> ReadPeftConfig(const JsonValue& json) {
  if (json.AsObject() == nullptr) return Unsupported("is not a JSON object");
  const JsonFields fields(json);
  LLMA_ASSIGN(const std::string_view type, fields.GetString("peft_type"));
  if (type != "LORA") {
    return fields.FieldError("peft_type", "is not LORA");
  }
  LLMA_TRY(CheckFields(json));
  PeftConfig config;
  LLMA_ASSIGN(config.rank, fields.GetU32("r"));
  LLMA_ASSIGN(const float alpha, fields.GetF32Or("lora_alpha", 8));
  config.alpha = alpha;
  LLMA_ASSIGN(config.divides_by_root, fields.GetBoolOr("use_rslora", false));
  LLMA_TRY(ReadPattern(fields, "rank_pattern", config.ranks));
  LLMA_TRY(ReadPattern(fields, "alpha_pattern", config.alphas));
  return config;
}

}  // namespace llma
