// SPDX-License-Identifier: Apache-2.0
// The numbers that describe a decoder-only transformer, and the limits that
// keep its arithmetic within the bounds of docs/NUMERICS.md.
#ifndef LLMA_MODEL_MODEL_CONFIG_H_
#define LLMA_MODEL_MODEL_CONFIG_H_

#include <array>
#include <cstdint>
#include <vector>

#include "base/status.h"

namespace llma {

// Functions that gate the feed-forward part.
enum class Activation : uint8_t {
  kSilu,      // x * sigmoid(x)
  kGeluTanh,  // GELU in its tanh form
};

// Widths of quantised keys.
enum class KeyWidth : uint8_t {
  k8Bits,   // integers in [-127, 127]
  k15Bits,  // integers in [-16319, 16319], in two halves
};

inline constexpr uint32_t kMaxLayers = 256;
inline constexpr uint32_t kMaxHeadDim = 256;

// Units of a window share: a head with this many sees as many positions as the
// window has.
inline constexpr uint32_t kWholeShare = 16;
inline constexpr uint32_t kMaxShare = 8 * kWholeShare;

// Goals: one description for the models whose layers are Llama's with
// variations: RMS norms, grouped-query attention with RoPE, a gated
// feed-forward part. The importer's table of architectures says which
// architecture has which variations.
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

  // Variations. What stands here is Llama.
  bool has_qkv_bias = false;    // queries, keys, values: W x + b
  bool has_qk_norm = false;     // RMS norms of each query and key head
  bool has_post_norms = false;  // RMS norms of what sublayers add
  Activation activation = Activation::kSilu;
  KeyWidth key_width = KeyWidth::k8Bits;
  float embedding_scale = 1;  // of the embedding's rows when they are fed
  float score_divisor = 0;    // of q . k; 0: sqrt(head_dim)
  float score_cap = 0;        // scores: cap * tanh(score / cap); 0: no cap
  float logit_cap = 0;        // the same of logits
  // Local layers see this many positions, the query's own included, and have
  // RoPE steps of their own; 0 if there are none. Bit i % 32 of word i / 32:
  // layer i is local.
  uint32_t local_positions = 0;
  std::array<uint32_t, kMaxLayers / 32> local_layers{};
  // How much of the window each key/value head sees, in sixteenths: most heads
  // look at what is near, a few far back. [layer, kv head], each from 1 to
  // kMaxShare; empty: all see the whole window.
  std::vector<uint8_t> window_shares;

  bool has_local_layers() const { return local_positions != 0; }
  bool is_local(uint32_t layer) const {
    return (local_layers[layer / 32] >> layer % 32 & 1) != 0;
  }
  void set_local(uint32_t layer) {
    local_layers[layer / 32] |= uint32_t{1} << layer % 32;
  }

  // Positions that a key/value head sees where the window is
  // `window_positions`, a multiple of 16: its share of them; no more than the
  // model was trained on, unless the window is larger.
  uint32_t HeadWindow(uint32_t window_positions, uint32_t layer,
                      uint32_t kv_head) const;
  // The largest and the smallest of all heads.
  uint32_t MaxHeadWindow(uint32_t window_positions) const;
  uint32_t MinHeadWindow(uint32_t window_positions) const;
  // The smallest window, no larger than `largest` if that is a multiple of 16,
  // of which every head sees `num_positions`.
  uint32_t WindowThatSees(uint64_t num_positions, uint32_t largest) const;

  uint32_t q_dim() const { return num_heads * head_dim; }
  uint32_t kv_dim() const { return num_kv_heads * head_dim; }
  uint32_t qkv_dim() const { return q_dim() + 2 * kv_dim(); }
};

// kUnsupported or kCorrupt, naming the field, if a number is out of bounds.
Status ValidateModelConfig(const ModelConfig& config);

}  // namespace llma

#endif  // LLMA_MODEL_MODEL_CONFIG_H_
