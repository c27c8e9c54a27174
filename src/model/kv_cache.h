// SPDX-License-Identifier: Apache-2.0
// Keys and values of one stream: the first positions for ever ("attention
// sinks", Xiao et al. 2023), the last `window` positions in a ring.
#ifndef LLMA_MODEL_KV_CACHE_H_
#define LLMA_MODEL_KV_CACHE_H_

#include <cstdint>

#include "base/aligned_buffer.h"
#include "model/model_config.h"
#include "numerics/reference_ops.h"

namespace llma {

inline constexpr uint32_t kNumSinks = 4;

// Where a position is stored, and what was visible of it, is the same whatever
// the ring's size, so batch shapes cannot change results. Thread-compatible;
// different positions and heads may be written concurrently.
class KvCache {
 public:
  // `window_positions`: how many positions a query sees, itself included,
  // beside the sinks. `max_batch_positions`: how many may be appended at once.
  // Window and batch together stay below kMaxAttendedPositions.
  KvCache(const ModelConfig& config, uint32_t window_positions,
          uint32_t max_batch_positions);

  uint32_t window_positions() const { return window_positions_; }
  uint64_t num_positions() const { return num_positions_; }
  // Appended positions become visible; Rewind takes the last ones back, at most
  // as many as the last batch had.
  void Advance(uint32_t count) { num_positions_ += count; }
  void Rewind(uint32_t count) { num_positions_ -= count; }

  // Stores the quantised key and value of `position`.
  //   key, value: [head_dim] int8
  void Store(uint32_t layer, uint32_t kv_head, uint64_t position,
             const int8_t* key, float key_scale, const int8_t* value,
             float value_scale);

  // One head's panels of 16 positions. Slots that were never written hold
  // zeros.
  struct Panels {
    KeyPanels keys;
    ValuePanels values;
    const float* value_scales;
  };
  Panels SinkPanels(uint32_t layer, uint32_t kv_head) const;
  // The ring holds position p >= kNumSinks in slot (p - kNumSinks) mod ring
  // size. Gives the longest contiguous run of at most `num_panels` panels from
  // absolute panel `first_panel` = (p - kNumSinks) / 16 on.
  Panels RingPanels(uint32_t layer, uint32_t kv_head, uint64_t first_panel,
                    uint32_t num_panels) const;

  // What a cache of these sizes takes.
  static uint64_t SizeBytes(const ModelConfig& config,
                            uint32_t window_positions,
                            uint32_t max_batch_positions);

 private:
  // Slots [0, 16) are the sinks, [16, 16 + ring) the ring.
  size_t HeadIdx(uint32_t layer, uint32_t kv_head) const {
    return size_t{layer} * num_kv_heads_ + kv_head;
  }
  Panels PanelsAt(size_t head_idx, uint32_t first_slot,
                  uint32_t num_panels) const;
  static uint32_t RingSlots(uint32_t window_positions,
                            uint32_t max_batch_positions);

  uint32_t head_dim_, num_kv_heads_;
  uint32_t window_positions_;
  uint32_t num_slots_;  // 16 + ring, a multiple of 16
  uint64_t num_positions_ = 0;
  AlignedBuffer<int8_t> keys_;    // [layer, kv_head, slot / 16, dim / 4, 16, 4]
  AlignedBuffer<int8_t> values_;  // [layer, kv_head, slot / 4, dim, 4]
  AlignedBuffer<float> key_scales_, value_scales_;  // [layer, kv_head, slot]
};

}  // namespace llma

#endif  // LLMA_MODEL_KV_CACHE_H_
