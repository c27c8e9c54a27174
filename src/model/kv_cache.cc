// SPDX-License-Identifier: Apache-2.0
#include "model/kv_cache.h"

#include <algorithm>
#include <cstring>

#include "base/status.h"

namespace llma {

KvCache::Head KvCache::HeadOf(const ModelConfig& config, uint32_t layer,
                              uint32_t kv_head, uint32_t window_positions,
                              uint32_t max_batch_positions) {
  Head of{
      .window_positions = config.HeadWindow(window_positions, layer, kv_head),
      .keeps_sinks = true,
      .num_slots = 0,
      .first_slot = 0};
  if (config.is_local(layer) && config.local_positions <= window_positions) {
    // All that the model itself would see.
    of.window_positions = config.local_positions;
    of.keeps_sinks = false;
  }
  const uint32_t positions = of.window_positions - 1 + max_batch_positions;
  of.num_slots =
      kPanelRows + (positions + kPanelRows - 1) / kPanelRows * kPanelRows;
  return of;
}

KvCache::KvCache(const ModelConfig& config, uint32_t window_positions,
                 uint32_t max_batch_positions, PageSource pages)
    : head_dim_(config.head_dim), num_kv_heads_(config.num_kv_heads) {
  size_t num_slots = 0;
  for (uint32_t layer = 0; layer < config.num_layers; ++layer) {
    for (uint32_t kv_head = 0; kv_head < num_kv_heads_; ++kv_head) {
      Head head =
          HeadOf(config, layer, kv_head, window_positions, max_batch_positions);
      head.first_slot = num_slots;
      num_slots += head.num_slots;
      if (std::ranges::find(windows_, head.window_positions) ==
          windows_.end()) {
        windows_.push_back(head.window_positions);
      }
      heads_.push_back(head);
      heads_by_window_.push_back(kv_head);
    }
    std::stable_sort(heads_by_window_.end() - num_kv_heads_,
                     heads_by_window_.end(), [&](uint32_t a, uint32_t b) {
                       return HeadAt(layer, a).window_positions >
                              HeadAt(layer, b).window_positions;
                     });
  }
  // num_slots is a multiple of 16 and head_dim of 4, so arrays are aligned.
  const size_t array_bytes = num_slots * head_dim_;
  const bool is_wide = config.key_width == KeyWidth::k15Bits;
  storage_ = ZeroedPages(
      (is_wide ? 3 : 2) * array_bytes + 2 * num_slots * sizeof(float), pages);
  keys_ = static_cast<int8_t*>(storage_.data());
  values_ = keys_ + array_bytes;
  int8_t* end = values_ + array_bytes;
  if (is_wide) {
    low_keys_ = end;
    end += array_bytes;
  }
  key_scales_ = reinterpret_cast<float*>(end);
  value_scales_ = key_scales_ + num_slots;
}

uint64_t KvCache::SizeBytes(const ModelConfig& config,
                            uint32_t window_positions,
                            uint32_t max_batch_positions) {
  const uint64_t arrays = config.key_width == KeyWidth::k15Bits ? 3 : 2;
  uint64_t num_slots = 0;
  for (uint32_t layer = 0; layer < config.num_layers; ++layer) {
    for (uint32_t kv_head = 0; kv_head < config.num_kv_heads; ++kv_head) {
      num_slots +=
          HeadOf(config, layer, kv_head, window_positions, max_batch_positions)
              .num_slots;
    }
  }
  return num_slots * (arrays * config.head_dim + 2 * sizeof(float));
}

uint32_t KvCache::SlotOf(const Head& head, uint64_t position) {
  const uint32_t ring_slots = head.num_slots - kPanelRows;
  if (position < kNumSinks) return static_cast<uint32_t>(position);
  return kPanelRows +
         static_cast<uint32_t>((position - kNumSinks) % ring_slots);
}

void KvCache::Prefetch(uint32_t layer, uint32_t kv_head, uint64_t position,
                       uint32_t count) const {
  const Head& head = HeadAt(layer, kv_head);
  const size_t first = head.first_slot;
  const auto fetch = [](const int8_t* begin, size_t size_bytes) {
    for (size_t i = 0; i < size_bytes; i += 64)
      __builtin_prefetch(begin + i, 1);
  };
  for (uint32_t i = 0; i < count; ++i) {
    const uint32_t slot = SlotOf(head, position + i);
    if (i == 0 || slot % kPanelRows == 0) {
      const size_t panel = (first + slot / kPanelRows * kPanelRows) * head_dim_;
      fetch(keys_ + panel, size_t{kPanelRows} * head_dim_);
    }
    if (i == 0 || slot % 4 == 0) {
      fetch(values_ + (first + slot / 4 * 4) * head_dim_,
            size_t{4} * head_dim_);
    }
  }
}

// Slots of a head start at a multiple of 16, so panels do.
int8_t* KvCache::KeyAt(int8_t* keys, size_t slot) const {
  return keys + slot / kPanelRows * kPanelRows * head_dim_ +
         slot % kPanelRows * kPanelCols;
}

int8_t* KvCache::ValueAt(size_t slot) const {
  return values_ + slot / 4 * 4 * head_dim_ + slot % 4;
}

void KvCache::Store(uint32_t layer, uint32_t kv_head, uint64_t position,
                    const Entry& entry) {
  const Head& head = HeadAt(layer, kv_head);
  const size_t slot = head.first_slot + SlotOf(head, position);
  // A copy: a stored byte may alias any member, which would be read again.
  const uint32_t head_dim = head_dim_;
  const auto store_key = [&](int8_t* keys, const int8_t* key) {
    int8_t* to = KeyAt(keys, slot);
    for (uint32_t d = 0; d < head_dim; d += kPanelCols) {
      std::memcpy(to + size_t{d} * kPanelRows, key + d, kPanelCols);
    }
  };
  store_key(keys_, entry.key);
  if (low_keys_ != nullptr) store_key(low_keys_, entry.low_key);
  int8_t* to = ValueAt(slot);
  const int8_t* value = entry.value;
  for (uint32_t d = 0; d < head_dim; ++d) to[d * 4] = value[d];
  key_scales_[slot] = entry.key_scale;
  value_scales_[slot] = entry.value_scale;
}

void KvCache::Copy(const KvCache& from, size_t from_slot, size_t to_slot) {
  const auto copy_key = [&](int8_t* to_keys, int8_t* from_keys) {
    for (size_t d = 0; d < head_dim_; d += kPanelCols) {
      std::memcpy(KeyAt(to_keys, to_slot) + d * kPanelRows,
                  KeyAt(from_keys, from_slot) + d * kPanelRows, kPanelCols);
    }
  };
  copy_key(keys_, from.keys_);
  if (low_keys_ != nullptr) copy_key(low_keys_, from.low_keys_);
  const int8_t* from_value = from.ValueAt(from_slot);
  int8_t* to_value = ValueAt(to_slot);
  for (size_t d = 0; d < head_dim_; ++d) to_value[d * 4] = from_value[d * 4];
  key_scales_[to_slot] = from.key_scales_[from_slot];
  value_scales_[to_slot] = from.value_scales_[from_slot];
}

void KvCache::StartAs(const KvCache& start) {
  LLMA_DCHECK(num_positions_ == 0 && heads_.size() == start.heads_.size());
  const uint64_t end = num_positions_ = start.num_positions_;
  for (size_t i = 0; i < heads_.size(); ++i) {
    const Head& from = start.heads_[i];
    const Head& to = heads_[i];
    LLMA_DCHECK(from.window_positions == to.window_positions);
    const uint64_t seen = from.window_positions - 1;
    const auto copy = [&](uint64_t position) {
      Copy(start, from.first_slot + SlotOf(from, position),
           to.first_slot + SlotOf(to, position));
    };
    const uint64_t num_sinks = std::min<uint64_t>(kNumSinks, end);
    for (uint64_t position = 0; position < num_sinks; ++position) {
      copy(position);
    }
    for (uint64_t position = std::max(num_sinks, end - std::min(seen, end));
         position < end; ++position) {
      copy(position);
    }
  }
}

void KvCache::Keep(uint32_t count, std::span<const uint32_t> kept) {
  const uint64_t begin = num_positions_ - count;
  num_positions_ = begin;
  for (const uint32_t from : kept) {
    const uint64_t to = num_positions_++;
    if (to == begin + from) continue;
    for (const Head& head : heads_) {
      Copy(*this, head.first_slot + SlotOf(head, begin + from),
           head.first_slot + SlotOf(head, to));
    }
  }
}

KvCache::Panels KvCache::PanelsAt(size_t first_slot,
                                  uint32_t num_panels) const {
  const int8_t* low_keys =
      low_keys_ == nullptr ? nullptr : low_keys_ + first_slot * head_dim_;
  return {.keys = {keys_ + first_slot * head_dim_, low_keys,
                   &key_scales_[first_slot], num_panels, head_dim_},
          .values = {values_ + first_slot * head_dim_, num_panels * kPanelRows,
                     head_dim_},
          .value_scales = &value_scales_[first_slot]};
}

KvCache::Panels KvCache::SinkPanels(uint32_t layer, uint32_t kv_head) const {
  return PanelsAt(HeadAt(layer, kv_head).first_slot, 1);
}

KvCache::Panels KvCache::RingPanels(uint32_t layer, uint32_t kv_head,
                                    uint64_t first_panel,
                                    uint32_t num_panels) const {
  const Head& head = HeadAt(layer, kv_head);
  const uint32_t ring_panels = head.num_slots / kPanelRows - 1;
  const auto panel = static_cast<uint32_t>(first_panel % ring_panels);
  return PanelsAt(head.first_slot + (1 + panel) * kPanelRows,
                  std::min(num_panels, ring_panels - panel));
}

}  // namespace llma
