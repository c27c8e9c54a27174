// SPDX-License-Identifier: Apache-2.0
// The forward pass of docs/NUMERICS.md, section 5, in plain code: one stream,
// one token at a time, one step after the other in the order of the document.
//
// Goals: to be read beside the document, to be what ports start from, and to be
// the oracle that ForwardPass is compared with, bit for bit.
// Non-goals: speed, and memory that does not grow with the stream.
#ifndef LLMA_MODEL_REFERENCE_FORWARD_H_
#define LLMA_MODEL_REFERENCE_FORWARD_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "model/model.h"

namespace llma {

// One stream of tokens. The model must outlive it. Thread-compatible.
class ReferenceForward {
 public:
  // `window_positions`: how many positions a query sees, itself included,
  // beside the sinks, by heads that see the whole window.
  ReferenceForward(const Model& model, uint32_t window_positions);
  // The same with another configuration of the same shapes.
  ReferenceForward(const Model& model, const ModelConfig& config,
                   uint32_t window_positions);

  // Called with the result of each step: the layer (the number of layers for
  // the steps after the last one), a name for the result, and its values.
  using Trace = std::function<void(uint32_t layer, std::string_view name,
                                   std::span<const float> values)>;
  void set_trace(Trace trace) { trace_ = std::move(trace); }

  // Appends a token (a row of the embedding, < config.num_rows). Returns the
  // logits of the token after it, [num_tokens].
  std::vector<float> Feed(uint32_t token);

 private:
  // The quantised key and value of one position.
  struct KeyValue {
    std::vector<int32_t> key;   // [head_dim], in [-16319, 16319]
    std::vector<int8_t> value;  // [head_dim]
    float key_scale;
    float value_scale;
  };
  // The positions that a query at the current position sees: the sinks before
  // `sinks_end`, and [begin, position].
  struct Visible {
    uint64_t sinks_end;
    uint64_t begin;
    uint64_t sink_query_position;  // by which queries of sinks are rotated
  };

  std::vector<float> Embed(uint32_t token) const;  // [dim]
  std::vector<float> Attention(uint32_t layer, const std::vector<float>& x);
  std::vector<float> FeedForward(uint32_t layer, const std::vector<float>& x);
  Visible VisiblePositions(uint32_t layer, uint32_t kv_head) const;
  KeyValue QuantizeKeyValue(std::span<const float> rotated_key,
                            std::span<const float> value) const;
  // q: [head_dim], not rotated. Returns [head_dim].
  std::vector<float> AttendHead(uint32_t layer, uint32_t kv_head,
                                std::span<const float> q) const;
  // The head rotated to `position`: [head_dim].
  std::vector<float> Rotate(uint32_t layer, std::span<const float> head,
                            uint64_t position) const;
  void Report(uint32_t layer, std::string_view name,
              const std::vector<float>& values) const {
    if (trace_) trace_(layer, name, values);
  }

  const Model& model_;
  const ModelConfig config_;
  const uint32_t window_positions_;
  Trace trace_;
  uint64_t position_ = 0;  // of the token that is fed
  // [layer][kv head][position]
  std::vector<std::vector<std::vector<KeyValue>>> cache_;
};

}  // namespace llma

#endif  // LLMA_MODEL_REFERENCE_FORWARD_H_
