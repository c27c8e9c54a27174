// SPDX-License-Identifier: Apache-2.0
#include "model/kv_cache.h"

#include <algorithm>

#include "base/status.h"

namespace llma {

uint32_t KvCache::RingSlots(uint32_t window_positions,
                            uint32_t max_batch_positions) {
  const uint32_t positions = window_positions - 1 + max_batch_positions;
  return (positions + kPanelRows - 1) / kPanelRows * kPanelRows;
}

KvCache::KvCache(const ModelConfig& config, uint32_t window_positions,
                 uint32_t max_batch_positions)
    : head_dim_(config.head_dim),
      num_kv_heads_(config.num_kv_heads),
      window_positions_(window_positions),
      num_slots_(kPanelRows +
                 RingSlots(window_positions, max_batch_positions)) {
  const size_t slots =
      size_t{config.num_layers} * config.num_kv_heads * num_slots_;
  keys_ = AlignedBuffer<int8_t>(slots * head_dim_);
  values_ = AlignedBuffer<int8_t>(slots * head_dim_);
  key_scales_ = AlignedBuffer<float>(slots);
  value_scales_ = AlignedBuffer<float>(slots);
}

uint64_t KvCache::SizeBytes(const ModelConfig& config,
                            uint32_t window_positions,
                            uint32_t max_batch_positions) {
  const uint64_t slots =
      uint64_t{config.num_layers} * config.num_kv_heads *
      (kPanelRows + RingSlots(window_positions, max_batch_positions));
  return slots * 2 * (config.head_dim + sizeof(float));
}

void KvCache::Store(uint32_t layer, uint32_t kv_head, uint64_t position,
                    const int8_t* key, float key_scale, const int8_t* value,
                    float value_scale) {
  const auto slot =
      position < kNumSinks
          ? static_cast<uint32_t>(position)
          : kPanelRows + static_cast<uint32_t>((position - kNumSinks) %
                                               (num_slots_ - kPanelRows));
  const size_t first = HeadIdx(layer, kv_head) * num_slots_;
  int8_t* key_panel =
      keys_.data() + (first + slot / kPanelRows * kPanelRows) * head_dim_;
  int8_t* value_panel = values_.data() + (first + slot / 4 * 4) * head_dim_;
  for (uint32_t d = 0; d < head_dim_; ++d) {
    key_panel[d / kPanelCols * kPanelRows * kPanelCols +
              slot % kPanelRows * kPanelCols + d % kPanelCols] = key[d];
    value_panel[d * 4 + slot % 4] = value[d];
  }
  key_scales_[first + slot] = key_scale;
  value_scales_[first + slot] = value_scale;
}

KvCache::Panels KvCache::PanelsAt(size_t head_idx, uint32_t first_slot,
                                  uint32_t num_panels) const {
  const size_t first = head_idx * num_slots_ + first_slot;
  return {.keys = {keys_.data() + first * head_dim_, &key_scales_[first],
                   num_panels, head_dim_},
          .values = {values_.data() + first * head_dim_,
                     num_panels * kPanelRows, head_dim_},
          .value_scales = &value_scales_[first]};
}

KvCache::Panels KvCache::SinkPanels(uint32_t layer, uint32_t kv_head) const {
  return PanelsAt(HeadIdx(layer, kv_head), 0, 1);
}

KvCache::Panels KvCache::RingPanels(uint32_t layer, uint32_t kv_head,
                                    uint64_t first_panel,
                                    uint32_t num_panels) const {
  const uint32_t ring_panels = num_slots_ / kPanelRows - 1;
  const auto panel = static_cast<uint32_t>(first_panel % ring_panels);
  return PanelsAt(HeadIdx(layer, kv_head), (1 + panel) * kPanelRows,
                  std::min(num_panels, ring_panels - panel));
}

}  // namespace llma
