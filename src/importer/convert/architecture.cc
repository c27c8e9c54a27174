// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/architecture.h"

#include <algorithm>
#include <cmath>

namespace llma {
namespace {

constexpr Architecture kArchitectures[] = {
    {.gguf_name = "llama",
     .model_type = "llama",
     .class_name = "LlamaForCausalLM",
     .has_adjacent_pairs_in_gguf = true},
    // In GGUF it is called llama. Its first version has local layers alone.
    {.gguf_name = nullptr,
     .model_type = "mistral",
     .class_name = "MistralForCausalLM",
     .global_period = ~0u,
     .context_length = 131072,
     .local_positions = 4096,
     .num_heads = 32,
     .num_kv_heads = 8},
    // The biases of keys make outliers that 8 bits do not hold.
    {.gguf_name = "qwen2",
     .model_type = "qwen2",
     .class_name = "Qwen2ForCausalLM",
     .has_qkv_bias = true,
     .key_width = KeyWidth::k15Bits,
     .context_length = 32768},
    {.gguf_name = "qwen3",
     .model_type = "qwen3",
     .class_name = "Qwen3ForCausalLM",
     .has_qk_norm = true,
     .context_length = 32768,
     .head_dim = 128},
    {.gguf_name = "granite",
     .model_type = "granite",
     .class_name = "GraniteForCausalLM",
     .has_adjacent_pairs_in_gguf = true,
     .has_multipliers = true,
     .is_kin_of_hybrids = true},
    {.gguf_name = "gemma2",
     .model_type = "gemma2",
     .class_name = "Gemma2ForCausalLM",
     .has_post_norms = true,
     .activation = Activation::kGeluTanh,
     .scales_embedding = true,
     .norms_lack_one_in_folders = true,
     .starts_with_begin = true,
     .global_period = 2,
     .local_positions_in_gguf = 4096,
     .wide_score_layers = 46,
     .context_length = 8192,
     .local_positions = 4096,
     .has_tied_head = true,
     .score_cap = 50,
     .logit_cap = 30,
     .num_heads = 8,
     .num_kv_heads = 4,
     .head_dim = 256},
    {.gguf_name = "gemma3",
     .model_type = "gemma3_text",
     .class_name = "Gemma3ForCausalLM",
     .has_qk_norm = true,
     .has_post_norms = true,
     .activation = Activation::kGeluTanh,
     .scales_embedding = true,
     .norms_lack_one_in_folders = true,
     .starts_with_begin = true,
     .global_period = 6,
     .local_rope_base = 10000,
     .wide_score_layers = 62,
     .rope_base = 1000000,
     .context_length = 131072,
     .local_positions = 4096,
     .has_tied_head = true,
     .num_heads = 8,
     .num_kv_heads = 4,
     .head_dim = 256},
};

struct Relative {
  std::string_view name;
  std::string_view why;
};

constexpr std::string_view kHasExperts =
    ", whose feed-forward parts are experts";
constexpr std::string_view kHasConvolutions =
    ", most of whose layers are convolutions";

constexpr Relative kRelatives[] = {
    {"granitemoe", kHasExperts},
    {"granitemoeshared", kHasExperts},
    {"granitehybrid",
     ", most of whose layers keep a state instead of "
     "attending"},
    // Its plain members are Granite, but in GGUF alone.
    {"granitemoehybrid",
     ", whose layers may keep a state instead of attending; a model where none "
     "does, nor has experts, is called granite in GGUF, which can be read"},
    {"lfm2", kHasConvolutions},
    {"lfm2moe", kHasConvolutions},
    {"lfm2_moe", kHasConvolutions},
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

std::string_view WhyNotReadable(std::string_view name) {
  for (const Relative& relative : kRelatives) {
    if (relative.name == name) return relative.why;
  }
  return "";
}

std::string GgufArchitectureNames() { return Join(&Architecture::gguf_name); }

std::string ModelTypeNames() { return Join(&Architecture::model_type); }

void ApplyArchitecture(const Architecture& architecture, ModelConfig& config) {
  config.has_qkv_bias = architecture.has_qkv_bias;
  config.has_qk_norm = architecture.has_qk_norm;
  config.has_post_norms = architecture.has_post_norms;
  config.activation = architecture.activation;
  config.key_width = architecture.key_width;
}

void ApplySizes(const Architecture& architecture, uint32_t local_positions,
                uint32_t global_period, ModelConfig& config) {
  if (architecture.scales_embedding) {
    config.embedding_scale = std::sqrt(static_cast<float>(config.dim));
  }
  if (architecture.global_period == 0 || local_positions == 0) return;
  if (global_period == 0) global_period = architecture.global_period;
  for (uint32_t i = 0; i < std::min(config.num_layers, kMaxLayers); ++i) {
    if ((i + 1) % global_period == 0) continue;
    config.set_local(i);
    config.local_positions = local_positions;
  }
}

}  // namespace llma
