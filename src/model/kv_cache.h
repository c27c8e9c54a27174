// SPDX-License-Identifier: Apache-2.0
// Keys and values of one stream: the first positions for ever ("attention
// sinks", Xiao et al. 2023), the last positions of each head's window in a
// ring.
#ifndef LLMA_MODEL_KV_CACHE_H_
#define LLMA_MODEL_KV_CACHE_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/zeroed_pages.h"
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
  // beside the sinks, by heads that see the whole window; IsSupported holds.
  // `max_batch_positions`: how many may be appended at once. `pages`: small
  // ones if only few positions will come.
  KvCache(const ModelConfig& config, uint32_t window_positions,
          uint32_t max_batch_positions, PageSource pages = PageSize::kLarge);

  // Whether no head sees more positions than can be added up.
  static bool IsSupported(const ModelConfig& config,
                          uint32_t window_positions) {
    return config.MaxHeadWindow(window_positions) + kNumSinks <
           kMaxAttendedPositions;
  }

  // How many positions a query sees, and whether the first four are among them
  // for ever; else they leave the window like any other.
  uint32_t window_positions(uint32_t layer, uint32_t kv_head) const {
    return HeadAt(layer, kv_head).window_positions;
  }
  bool keeps_sinks(uint32_t layer) const {
    return HeadAt(layer, 0).keeps_sinks;
  }
  // The KV heads of a layer, the one with the widest window first.
  uint32_t HeadByWindow(uint32_t layer, uint32_t i) const {
    return heads_by_window_[size_t{layer} * num_kv_heads_ + i];
  }
  // All different windows of heads.
  std::span<const uint32_t> windows() const { return windows_; }
  uint64_t num_positions() const { return num_positions_; }
  // Appended positions become visible.
  void Advance(uint32_t count) { num_positions_ += count; }
  // Holds what `start`, of the same model and window, does; before anything was
  // appended.
  void StartAs(const KvCache& start);
  // Of the last `count` positions, appended together, keeps those at `kept`,
  // ascending from 0 on, one after the other; the others are taken back.
  void Keep(uint32_t count, std::span<const uint32_t> kept);

  // The quantised key and value of a position, [head_dim] each.
  struct Entry {
    const int8_t* key;
    const int8_t* low_key;  // only of 15-bit keys
    const int8_t* value;
    float key_scale;
    float value_scale;
  };
  void Store(uint32_t layer, uint32_t kv_head, uint64_t position,
             const Entry& entry);

  // Brings what will be stored at `count` positions into the cache.
  void Prefetch(uint32_t layer, uint32_t kv_head, uint64_t position,
                uint32_t count) const;

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

  // Slots [0, 16) are the sinks, [16, num_slots) the ring.
  struct Head {
    uint32_t window_positions;
    bool keeps_sinks;
    uint32_t num_slots;  // 16 + ring, a multiple of 16
    size_t first_slot;   // of all heads' slots; left to whoever has them
  };
  static Head HeadOf(const ModelConfig& config, uint32_t layer,
                     uint32_t kv_head, uint32_t window_positions,
                     uint32_t max_batch_positions);

  // What a cache of these sizes takes.
  static uint64_t SizeBytes(const ModelConfig& config,
                            uint32_t window_positions,
                            uint32_t max_batch_positions);

 private:
  const Head& HeadAt(uint32_t layer, uint32_t kv_head) const {
    return heads_[size_t{layer} * num_kv_heads_ + kv_head];
  }
  static uint32_t SlotOf(const Head& head, uint64_t position);
  // Where a slot of all heads has its key, of which kPanelCols values at a time
  // stand kPanelRows * kPanelCols apart, and its value, 4 apart.
  int8_t* KeyAt(int8_t* keys, size_t slot) const;
  int8_t* ValueAt(size_t slot) const;
  // What `from`, which may be this, has in one slot.
  void Copy(const KvCache& from, size_t from_slot, size_t to_slot);
  Panels PanelsAt(size_t first_slot, uint32_t num_panels) const;

  uint32_t head_dim_, num_kv_heads_;
  std::vector<Head> heads_;                // [layer, kv_head]
  std::vector<uint32_t> heads_by_window_;  // [layer, i]
  std::vector<uint32_t> windows_;
  uint64_t num_positions_ = 0;
  // All arrays, one after the other.
  ZeroedPages storage_;
  // [layer, kv_head, slot / 16, dim / 4, 16, 4]; low_keys_ only of 15-bit keys
  int8_t *keys_, *low_keys_ = nullptr;
  int8_t* values_;                     // [layer, kv_head, slot / 4, dim, 4]
  float *key_scales_, *value_scales_;  // [layer, kv_head, slot]
};

}  // namespace llma

#endif  // LLMA_MODEL_KV_CACHE_H_
