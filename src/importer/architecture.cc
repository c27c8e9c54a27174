// SPDX-License-Identifier: Apache-2.0
#include "importer/architecture.h"

namespace llma {
namespace {

constexpr Architecture kArchitectures[] = {
    {.gguf_name = "llama",
     .model_type = "llama",
     .class_name = "LlamaForCausalLM",
     .has_adjacent_pairs_in_gguf = true},
    // The biases of keys make outliers that 8 bits do not hold.
    {.gguf_name = "qwen2",
     .model_type = "qwen2",
     .class_name = "Qwen2ForCausalLM",
     .has_qkv_bias = true,
     .key_width = KeyWidth::k15Bits},
    {.gguf_name = "qwen3",
     .model_type = "qwen3",
     .class_name = "Qwen3ForCausalLM",
     .has_qk_norm = true},
};

// Entries whose `name` is known, with commas.
std::string Join(const char* Architecture::*name) {
  std::string names;
  for (const Architecture& a : kArchitectures) {
    if (a.*name == nullptr) continue;
    names += names.empty() ? "" : ", ";
    names += a.*name;
  }
  return names;
}

const Architecture* Find(const char* Architecture::*name,
                         std::string_view wanted) {
  for (const Architecture& a : kArchitectures) {
    if (a.*name != nullptr && a.*name == wanted) return &a;
  }
  return nullptr;
}

}  // namespace

const Architecture* FindGgufArchitecture(std::string_view name) {
  return Find(&Architecture::gguf_name, name);
}

const Architecture* FindModelType(std::string_view model_type) {
  return Find(&Architecture::model_type, model_type);
}

std::string GgufArchitectureNames() { return Join(&Architecture::gguf_name); }

std::string ModelTypeNames() { return Join(&Architecture::model_type); }

void ApplyArchitecture(const Architecture& architecture, ModelConfig& config) {
  config.has_qkv_bias = architecture.has_qkv_bias;
  config.has_qk_norm = architecture.has_qk_norm;
  config.key_width = architecture.key_width;
}

}  // namespace llma
