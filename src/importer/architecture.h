// SPDX-License-Identifier: Apache-2.0
// The architectures that can be imported: one entry each says how it differs
// from Llama and how sources call it. Another of the kind is another entry.
#ifndef LLMA_IMPORTER_ARCHITECTURE_H_
#define LLMA_IMPORTER_ARCHITECTURE_H_

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
  KeyWidth key_width = KeyWidth::k8Bits;
};

// Null if there is none.
const Architecture* FindGgufArchitecture(std::string_view name);
const Architecture* FindModelType(std::string_view model_type);

// "llama, qwen2" and so on, for messages.
std::string GgufArchitectureNames();
std::string ModelTypeNames();

// Sets the variations in `config`.
void ApplyArchitecture(const Architecture& architecture, ModelConfig& config);

}  // namespace llma

#endif  // LLMA_IMPORTER_ARCHITECTURE_H_
