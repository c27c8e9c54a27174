// SPDX-License-Identifier: Apache-2.0
// The architectures that can be imported: one entry each says how it differs
// from Llama and how sources call it. Another of the kind is another entry.
#ifndef LLMA_IMPORTER_CONVERT_ARCHITECTURE_H_
#define LLMA_IMPORTER_CONVERT_ARCHITECTURE_H_

#include <cstdint>
#include <string>
#include <string_view>

#include "model/model_config.h"

namespace llma {

struct Architecture {
  const char* gguf_name;   // general.architecture; null: only in folders
  const char* model_type;  // of config.json
  const char* class_name;  // of "architectures" there
  // GGUF has the two rows of a RoPE pair at 2 p and 2 p + 1 of a head.
  bool has_adjacent_pairs_in_gguf = false;
  bool has_qkv_bias = false;
  bool has_qk_norm = false;
  bool has_post_norms = false;
  Activation activation = Activation::kSilu;
  KeyWidth key_width = KeyWidth::k8Bits;
  bool scales_embedding = false;           // by the root of its width
  bool has_multipliers = false;            // those of multipliers.h
  bool norms_lack_one_in_folders = false;  // a norm multiplies by 1 + weight
  bool starts_with_begin = false;  // a stream: the token made for it is needed
  // Some are made of a family that has state-space layers and then no RoPE:
  // GGUF keeps the numbers of such layers, and says whether there is RoPE.
  bool is_kin_of_hybrids = false;
  // Where there are local layers: every n-th layer is global.
  uint32_t global_period = 0;
  float local_rope_base = 0;  // 0: as the other layers
  // What GGUF means by no word of a window; 0: there are no local layers.
  uint32_t local_positions_in_gguf = 0;
  // Models of this many layers divide scores by the root of dim / num_heads,
  // and GGUF does not say it.
  uint32_t wide_score_layers = 0;

  // What config.json means by silence.
  float rope_base = 10000;
  uint32_t context_length = 2048;
  uint32_t local_positions = 0;
  bool has_tied_head = false;
  float score_cap = 0, logit_cap = 0;
  // 0: config.json must say these.
  uint32_t num_heads = 0, num_kv_heads = 0;
  uint32_t head_dim = 0;  // 0: dim / num_heads
};

// Null if there is none.
const Architecture* FindGgufArchitecture(std::string_view name);
const Architecture* FindModelType(std::string_view model_type);

// ", whose feed-forward parts are experts": of a relative of the above that
// cannot be read, by its name in GGUF or its model_type. Empty of all others.
std::string_view WhyNotReadable(std::string_view name);

// "llama, qwen2" and so on, for messages.
std::string GgufArchitectureNames();
std::string ModelTypeNames();

// Sets the variations in `config` that do not depend on the model's sizes.
void ApplyArchitecture(const Architecture& architecture, ModelConfig& config);

// Sets those that do, once num_layers and dim are known; `local_positions` is 0
// in a model without local layers, and `global_period` 0 if the source does not
// say it.
void ApplySizes(const Architecture& architecture, uint32_t local_positions,
                uint32_t global_period, ModelConfig& config);

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_ARCHITECTURE_H_
