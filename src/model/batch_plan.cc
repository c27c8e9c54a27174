// SPDX-License-Identifier: Apache-2.0
#include "model/batch_plan.h"

#include <algorithm>

#include "base/status.h"

namespace llma {

BatchPlan::BatchPlan(const Model& model, uint32_t max_rows)
    : config_(model.config()) {
  rows_.reserve(max_rows);
  ropes_[0].steps = model.rope_steps();
  ropes_[1].steps = model.local_rope_steps();
  for (Ropes& ropes : ropes_) {
    if (ropes.steps.empty()) continue;
    ropes.values = AlignedBuffer<float>(size_t{max_rows} * config_.head_dim);
    ropes.rows.resize(max_rows);
  }
}

void BatchPlan::Set(std::span<const StreamBatch> batch) {
  rows_.clear();
  trees_.clear();
  num_streams_ = 0;
  for (const StreamBatch& stream : batch) {
    const uint64_t begin = stream.cache->num_positions();
    const size_t first = rows_.size();
    const bool is_tree = !stream.parents.empty();
    if (!stream.tokens.empty()) ++num_streams_;
    if (is_tree) AddTree(stream);
    for (uint32_t i = 0; i < stream.tokens.size(); ++i) {
      LLMA_DCHECK(rows_.size() < rows_.capacity());
      const uint32_t distance = is_tree ? trees_[first + i].depth : i;
      rows_.push_back(
          {stream.cache, begin + distance, begin + i, stream.tokens[i]});
    }
  }
  if (has_trees()) trees_.resize(rows_.size(), {0, 0});
  for (Ropes& ropes : ropes_) {
    if (!ropes.steps.empty()) SetRopes(batch, ropes);
  }
}

// Its rows come next.
void BatchPlan::AddTree(const StreamBatch& stream) {
  LLMA_DCHECK(stream.parents.size() == stream.tokens.size() &&
              stream.tokens.size() <= kMaxQueryPositions &&
              stream.cache->num_positions() >= kNumSinks);
  const size_t first = rows_.size();
  trees_.resize(first, {0, 0});
  trees_.push_back({0, 1});
  for (uint32_t i = 1; i < stream.parents.size(); ++i) {
    LLMA_DCHECK(stream.parents[i] < i);
    const TreePosition parent = trees_[first + stream.parents[i]];
    trees_.push_back({parent.depth + 1, parent.ancestors | uint32_t{1} << i});
    LLMA_DCHECK(trees_[first + i].depth >= trees_[first + i - 1].depth);
  }
}

void BatchPlan::SetRopes(std::span<const StreamBatch> batch, Ropes& ropes) {
  const uint32_t head_dim = config_.head_dim, half = head_dim / 2;
  for (const StreamBatch& stream : batch) {
    for (const uint32_t window : stream.cache->windows()) {
      std::vector<float>& sink = ropes.sinks[window];
      if (!sink.empty()) continue;
      sink.resize(head_dim);
      ComputeRopeRow(ropes.steps, uint64_t{kNumSinks} + window - 1, sink.data(),
                     sink.data() + half);
    }
  }
  for (uint32_t row = 0; row < num_rows(); ++row) {
    float* cos = ropes.values.data() + size_t{row} * head_dim;
    ComputeRopeRow(ropes.steps, rows_[row].position, cos, cos + half);
    ropes.rows[row] = {cos, cos + half};
  }
}

void BatchPlan::AddBlocks(uint32_t begin, uint32_t end,
                          std::vector<QueryBlock>& blocks) const {
  while (begin < end) {
    const Row& first = rows_[begin];
    uint32_t count = 1;
    while (begin + count < end && count < kMaxQueryPositions &&
           rows_[begin + count].cache == first.cache) {
      ++count;
    }
    blocks.push_back({first.cache, first.cache_position, begin, count});
    begin += count;
  }
}

}  // namespace llma
