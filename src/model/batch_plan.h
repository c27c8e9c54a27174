// SPDX-License-Identifier: Apache-2.0
// What a batch of a forward pass holds: where each row stands in its stream and
// how it is rotated.
#ifndef LLMA_MODEL_BATCH_PLAN_H_
#define LLMA_MODEL_BATCH_PLAN_H_

#include <cstdint>
#include <map>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "model/attention.h"
#include "model/kv_cache.h"
#include "model/model.h"

namespace llma {

// Consecutive tokens of one stream. They are appended to its cache.
struct StreamBatch {
  KvCache* cache;
  std::span<const uint32_t> tokens;  // embedding rows, < config.num_rows
  // If some of them are alternatives: [i] < i, the token that token i follows
  // ([0] counts for nothing). Then at most kMaxQueryPositions tokens, by their
  // distance from the first, after the sinks; KvCache::Keep() must follow.
  std::span<const uint32_t> parents = {};
};

// Rows of one stream that one attention task takes.
struct QueryBlock {
  const KvCache* cache;
  uint64_t first_position;  // in the cache
  uint32_t first_row;
  uint32_t num_positions;
};

// Thread-compatible. The model must outlive it.
class BatchPlan {
 public:
  struct Row {
    KvCache* cache;
    uint64_t position;        // in the text
    uint64_t cache_position;  // in the cache
    uint32_t token;
  };

  BatchPlan(const Model& model, uint32_t max_rows);

  void Set(std::span<const StreamBatch> batch);

  uint32_t num_rows() const { return static_cast<uint32_t>(rows_.size()); }
  // Streams that have rows.
  uint32_t num_streams() const { return num_streams_; }
  const Row& row(uint32_t i) const { return rows_[i]; }
  // Whether a stream has alternatives.
  bool has_trees() const { return !trees_.empty(); }
  // Of the row and those of its stream after it; null if they are no tree.
  const TreePosition* tree(uint32_t row) const {
    return trees_.empty() || trees_[row].ancestors == 0 ? nullptr
                                                        : &trees_[row];
  }
  // RoPE of the row and those after it.
  const RopeRow* ropes(uint32_t layer, uint32_t row) const {
    return &ropes_of(layer).rows[row];
  }
  // RoPE of queries of the sinks, of which a window hides positions.
  RopeRow sink_rope(uint32_t layer, uint32_t window) const {
    const float* cos = ropes_of(layer).sinks.at(window).data();
    return {cos, cos + config_.head_dim / 2};
  }

  // Cuts rows [begin, end) into blocks, and appends these.
  void AddBlocks(uint32_t begin, uint32_t end,
                 std::vector<QueryBlock>& blocks) const;

 private:
  // RoPE with the steps of one kind of layers.
  struct Ropes {
    std::span<const uint64_t> steps;
    AlignedBuffer<float> values;  // [row, cos | sin, head_dim / 2]
    std::vector<RopeRow> rows;    // [row]
    // [window][cos | sin, head_dim / 2]: of all windows that there were.
    std::map<uint32_t, std::vector<float>> sinks;
  };

  void AddTree(const StreamBatch& stream);
  void SetRopes(std::span<const StreamBatch> batch, Ropes& ropes);
  const Ropes& ropes_of(uint32_t layer) const {
    return ropes_[config_.is_local(layer)];
  }

  const ModelConfig& config_;
  uint32_t num_streams_ = 0;
  std::vector<Row> rows_;
  // [row], if there is a tree; of other rows without ancestors
  std::vector<TreePosition> trees_;
  Ropes ropes_[2];  // of layers that see everything, of local layers
};

}  // namespace llma

#endif  // LLMA_MODEL_BATCH_PLAN_H_
