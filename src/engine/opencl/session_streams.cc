// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/session_streams.h"

#include <algorithm>

#include "model/kv_cache.h"

namespace llma::opencl {

void SessionStreams::StartAs(const OpenClStreamStart& start) {
  std::ranges::fill(num_positions_, start.num_positions);
}

void SessionStreams::SetRows(std::span<const StreamTokens> batch,
                             std::vector<RowInfo>& rows) {
  rows.clear();
  for (const StreamTokens& of : batch) {
    const auto tree_row = static_cast<uint32_t>(rows.size());
    const uint64_t begin = num_positions_[of.stream];
    const auto count = static_cast<uint32_t>(of.tokens.size());
    for (uint32_t i = 0; i < count; ++i) {
      RowInfo row = {.position = begin + i,
                     .cache_position = begin + i,
                     .first_slot = part_.FirstSlot(of.stream),
                     .tree_begin = 0,
                     .first_head = part_.first_head,
                     .token = of.tokens[i],
                     .ancestors = 0,
                     .depth = 0,
                     .tree_row = tree_row,
                     .tree_size = 0};
      if (!of.parents.empty()) {
        if (i > 0) {
          const RowInfo& parent = rows[tree_row + of.parents[i]];
          row.depth = parent.depth + 1;
          row.ancestors = parent.ancestors;
        }
        row.ancestors |= uint32_t{1} << i;
        row.position = begin + row.depth;
        row.tree_begin = begin - kNumSinks;
        row.tree_size = count;
      }
      rows.push_back(row);
    }
    num_run_[of.stream] = count;
    num_positions_[of.stream] += count;
  }
}

std::optional<MoveInfo> SessionStreams::Keep(uint32_t stream,
                                             std::span<const uint32_t> kept) {
  const uint64_t begin = num_positions_[stream] - num_run_[stream];
  num_positions_[stream] = begin + kept.size();
  // Ascending from 0 on: if the last one stays where it is, so do all.
  if (kept.empty() || kept.back() + 1 == kept.size()) return std::nullopt;
  LLMA_DCHECK(kept.size() <= kMaxTreeTokens);
  MoveInfo move = {.first_slot = part_.FirstSlot(stream),
                   .begin = begin,
                   .first_head = part_.first_head,
                   .count = static_cast<uint32_t>(kept.size()),
                   .kept = {}};
  std::ranges::copy(kept, move.kept);
  return move;
}

}  // namespace llma::opencl
