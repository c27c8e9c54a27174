// SPDX-License-Identifier: Apache-2.0
// The numbers that describe a decoder-only transformer, and the limits that
// keep its arithmetic within the bounds of docs/NUMERICS.md.
#ifndef LLMA_MODEL_MODEL_CONFIG_H_
#define LLMA_MODEL_MODEL_CONFIG_H_

#include <cstdint>

#include "base/status.h"

namespace llma {

// Goals: one description for the models that share the Llama layer (RMS norm,
// grouped-query attention with RoPE, SwiGLU, no biases).
// Non-goals: training, generation, anything but the next-token distribution.
struct ModelConfig {
  uint32_t num_layers = 0;
  uint32_t dim = 0;           // width of the residual stream
  uint32_t num_heads = 0;     // query heads
  uint32_t num_kv_heads = 0;  // key/value heads, divides num_heads
  uint32_t head_dim = 0;      // even, a multiple of 16
  uint32_t ffn_dim = 0;
  // Rows [0, num_tokens) of the embedding are the spellable tokens sorted by
  // their bytes; rows [num_tokens, num_rows) can only be fed (start token).
  uint32_t num_tokens = 0;
  uint32_t num_rows = 0;
  uint32_t start_row = 0;       // fed before the first token of a stream
  uint32_t context_length = 0;  // positions that the model was trained on
  bool tied_head = true;        // the head is the embedding
  float norm_eps = 0;

  uint32_t q_dim() const { return num_heads * head_dim; }
  uint32_t kv_dim() const { return num_kv_heads * head_dim; }
  uint32_t qkv_dim() const { return q_dim() + 2 * kv_dim(); }
};

// kUnsupported or kCorrupt, naming the field, if a number is out of bounds.
Status ValidateModelConfig(const ModelConfig& config);

}  // namespace llma

#endif  // LLMA_MODEL_MODEL_CONFIG_H_
