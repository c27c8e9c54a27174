// SPDX-License-Identifier: Apache-2.0
// What a batch holds and who computes which part of it.
#include <algorithm>

#include "base/status.h"
#include "model/forward.h"

namespace llma {
namespace {

// From so many rows for each thread on a thread takes rows through all steps of
// a layer by itself, at most kMaxScopeRows at a time: what the steps hand to
// each other then stays in its second-level cache. Fewer rows share each
// product's weights instead.
constexpr uint32_t kMinScopeRows = 32;
constexpr uint32_t kMaxScopeRows = 64;

}  // namespace

// Numbers the rows, finds their rotations and who takes them.
void ForwardPass::PlanRows(std::span<const StreamBatch> batch) {
  num_rows_ = 0;
  PlanTree(batch);
  for (const StreamBatch& stream : batch) {
    const uint64_t position = stream.cache->num_positions();
    for (uint32_t i = 0; i < stream.tokens.size(); ++i) {
      LLMA_DCHECK(num_rows_ < row_cache_.size());
      row_cache_[num_rows_] = stream.cache;
      row_position_[num_rows_] =
          position + (tree_.empty() ? i : tree_[i].depth);
      row_place_[num_rows_] = position + i;
      row_token_[num_rows_] = stream.tokens[i];
      ++num_rows_;
    }
  }
  for (Ropes& ropes : ropes_) {
    if (!ropes.steps.empty()) PlanRopes(batch, ropes);
  }
  PlanScopes(batch);
}

void ForwardPass::PlanTree(std::span<const StreamBatch> batch) {
  tree_.clear();
  if (batch.empty() || batch[0].parents.empty()) return;
  const StreamBatch& stream = batch[0];
  LLMA_DCHECK(batch.size() == 1 &&
              stream.parents.size() == stream.tokens.size() &&
              stream.tokens.size() <= kMaxQueryPositions &&
              stream.cache->num_positions() >= kNumSinks);
  tree_.push_back({0, 1});
  for (uint32_t i = 1; i < stream.parents.size(); ++i) {
    LLMA_DCHECK(stream.parents[i] < i);
    const TreePosition& parent = tree_[stream.parents[i]];
    tree_.push_back({parent.depth + 1, parent.ancestors | uint32_t{1} << i});
    LLMA_DCHECK(tree_[i].depth >= tree_[i - 1].depth);
  }
}

void ForwardPass::PlanRopes(std::span<const StreamBatch> batch, Ropes& ropes) {
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
  for (uint32_t row = 0; row < num_rows_; ++row) {
    float* cos = ropes.values.data() + size_t{row} * head_dim;
    ComputeRopeRow(ropes.steps, row_position_[row], cos, cos + half);
    ropes.rows[row] = {cos, cos + half};
  }
}

// Cuts rows into scopes, and what a scope has of a stream into query blocks.
void ForwardPass::PlanScopes(std::span<const StreamBatch> batch) {
  const auto threads = static_cast<uint32_t>(pool_.num_threads());
  uint32_t num_scopes = 1;
  if (num_rows_ >= kMinScopeRows * threads) {
    const uint32_t rounds = threads * kMaxScopeRows;
    num_scopes = (num_rows_ + rounds - 1) / rounds * threads;
  }
  max_scope_rows_ = (num_rows_ + num_scopes - 1) / num_scopes;
  scopes_.clear();
  query_blocks_.clear();
  attention_stores_ = true;
  uint32_t stream = 0, stream_end = 0;
  if (!batch.empty())
    stream_end = static_cast<uint32_t>(batch[0].tokens.size());
  for (uint32_t i = 0; i < num_scopes; ++i) {
    const uint32_t begin = num_rows_ * i / num_scopes;
    const uint32_t end = num_rows_ * (i + 1) / num_scopes;
    Scope scope = {
        .first_row = begin,
        .num_rows = end - begin,
        .first_query_block = static_cast<uint32_t>(query_blocks_.size()),
        .num_query_blocks = 0,
        .buffer_row = 0,
        .thread_idx = kAllThreads};
    for (uint32_t row = begin; row < end;) {
      while (row == stream_end) {
        ++stream;
        stream_end += static_cast<uint32_t>(batch[stream].tokens.size());
      }
      const uint32_t count =
          std::min({kMaxQueryPositions, end - row, stream_end - row});
      if (!query_blocks_.empty() &&
          query_blocks_.back().cache == row_cache_[row]) {
        attention_stores_ = false;
      }
      query_blocks_.push_back({row_cache_[row], row_place_[row], row, count});
      ++scope.num_query_blocks;
      row += count;
    }
    scopes_.push_back(scope);
  }
}

// Multiply-adds of all layers. Scores once, or twice with wide keys; values
// twice: the weights' two halves.
void ForwardPass::CountWork() {
  uint64_t visible_positions = 0;  // summed over layers and their KV heads
  uint64_t weights = 0;
  for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
    for (uint32_t row = 0; row < num_rows_; ++row) {
      for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
        visible_positions += std::min<uint64_t>(
            row_position_[row] + 1,
            uint64_t{kNumSinks} +
                row_cache_[row]->window_positions(layer, head));
      }
    }
    const LayerWeights& w = model_.layer(layer);
    for (const LinearWeights* linear :
         {&w.qkv, &w.attn_out, &w.gate_up, &w.ffn_down}) {
      weights += linear->values_bytes();
    }
  }
  const uint32_t products = config_.key_width == KeyWidth::k15Bits ? 4 : 3;
  clock_->AddPositions(num_rows_);
  clock_->AddMultiplyAdds(num_rows_ * weights + products * visible_positions *
                                                    config_.q_dim() /
                                                    config_.num_kv_heads);
}

}  // namespace llma
