// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/key_values.h"

#include <algorithm>
#include <utility>

#include "model/attention.h"
#include "model/kv_cache.h"

namespace llma::opencl {

Result<KeyValues::Part> KeyValues::Add(const SessionShape& shape,
                                       Queue& queue) {
  Part part;
  part.num_streams = shape.num_streams;
  for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
    for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
      part.stream_slots +=
          KvCache::HeadOf(config_, layer, head, shape.window_positions,
                          shape.max_run_tokens)
              .num_slots;
    }
  }
  // The first gap that is large enough, and the first table that is free.
  auto next = parts_.begin();
  for (; next != parts_.end() && part.end() > next->first_slot; ++next) {
    part.first_slot = next->end();
  }
  const auto has_table = [&](const Part& other) {
    return other.first_head == part.first_head;
  };
  while (std::ranges::any_of(parts_, has_table)) part.first_head += all_heads();
  if (part.end() > num_slots_) {
    // Twice as many as before, or what is needed, and no more for the first.
    const uint64_t more = std::max(part.end(), 2 * num_slots_);
    if (!GrowTo(more, queue)) LLMA_TRY(GrowTo(part.end(), queue));
  }
  LLMA_TRY(FillTables(shape, part, queue));
  parts_.insert(next, part);
  return part;
}

void KeyValues::Release() {
  for (Buffer* buffer : {&keys_, &low_keys_, &values_, &scales_, &heads_,
                         &sink_ropes_, &moves_}) {
    *buffer = Buffer();
  }
  num_slots_ = num_tables_ = 0;
}

void KeyValues::Remove(const Part& part) noexcept {
  std::erase_if(parts_, [&](const Part& other) {
    return other.first_head == part.first_head;
  });
}

Status KeyValues::Grow(Buffer& buffer, uint64_t size_bytes,
                       Queue& queue) const {
  if (buffer.size_bytes() >= size_bytes) return OkStatus();
  LLMA_ASSIGN(Buffer larger, device_.Allocate(size_bytes));
  queue.Copy(buffer, larger, static_cast<size_t>(buffer.size_bytes()));
  // What is known to be of use no more is freed when the copy is made.
  std::swap(buffer, larger);
  return OkStatus();
}

Status KeyValues::GrowTo(uint64_t num_slots, Queue& queue) {
  const uint64_t bytes = num_slots * config_.head_dim;
  LLMA_TRY(Grow(keys_, bytes, queue));
  LLMA_TRY(Grow(low_keys_, has_wide_keys() ? bytes : 1, queue));
  LLMA_TRY(Grow(values_, bytes, queue));
  LLMA_TRY(Grow(scales_, num_slots * 2 * sizeof(float), queue));
  num_slots_ = num_slots;
  return OkStatus();
}

Status KeyValues::FillTables(const SessionShape& shape, const Part& part,
                             Queue& queue) {
  const uint32_t table = part.first_head / all_heads();
  const size_t heads_bytes = all_heads() * sizeof(HeadInfo);
  const size_t ropes_bytes =
      size_t{all_heads()} * config_.head_dim * sizeof(float);
  if (table >= num_tables_) {
    const uint32_t count = std::max(table + 1, 2 * num_tables_);
    LLMA_TRY(Grow(heads_, count * heads_bytes, queue));
    LLMA_TRY(Grow(sink_ropes_, count * ropes_bytes, queue));
    num_tables_ = count;
  }
  std::vector<HeadInfo> heads;
  // Queries of the sinks, of which a window hides positions.
  std::vector<float> ropes(size_t{all_heads()} * config_.head_dim);
  uint32_t first_slot = 0;
  for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
    const auto steps = config_.is_local(layer) ? model_.local_rope_steps()
                                               : model_.rope_steps();
    for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
      const KvCache::Head of = KvCache::HeadOf(
          config_, layer, head, shape.window_positions, shape.max_run_tokens);
      float* cos = ropes.data() + heads.size() * config_.head_dim;
      ComputeRopeRow(steps, kNumSinks + of.window_positions - 1, cos,
                     cos + config_.head_dim / 2);
      heads.push_back({of.window_positions, of.num_slots, first_slot,
                       of.keeps_sinks ? 1u : 0u});
      first_slot += of.num_slots;
    }
  }
  queue.Write(heads_, table * heads_bytes, heads.data(), heads_bytes);
  queue.Write(sink_ropes_, table * ropes_bytes, ropes.data(), ropes_bytes);
  return OkStatus();
}

void KeyValues::CopyStream(const Part& to, const KeyValues& from,
                           const Part& from_part, uint64_t num_positions,
                           Queue& queue) const {
  for (uint32_t i = 0; i < to.num_streams; ++i) {
    queue.Run(Kernel::kCopyStream, {config_.head_dim, all_heads()}, {0, 0},
              keys_, low_keys_, values_, scales_, heads_, to.first_head,
              to.FirstSlot(i), from.keys_, from.low_keys_, from.values_,
              from.scales_, from.heads_, from_part.first_head,
              from_part.first_slot, has_wide_keys() ? 1u : 0u, num_positions);
  }
}

Status KeyValues::Move(std::span<const MoveInfo> moves, Queue& queue) {
  if (moves.empty()) return OkStatus();
  LLMA_TRY(Grow(moves_, moves.size_bytes(), queue));
  queue.Write(moves_, 0, moves.data(), moves.size_bytes());
  queue.Run(Kernel::kMovePositions,
            {config_.head_dim, all_heads() * moves.size()}, {0, 0}, keys_,
            low_keys_, values_, scales_, heads_, all_heads(),
            has_wide_keys() ? 1u : 0u, moves_);
  return OkStatus();
}

}  // namespace llma::opencl
