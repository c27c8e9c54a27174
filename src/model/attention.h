// SPDX-License-Identifier: Apache-2.0
// Grouped-query attention over a KvCache with a rolling window and sinks.
#ifndef LLMA_MODEL_ATTENTION_H_
#define LLMA_MODEL_ATTENTION_H_

#include <cstdint>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/kernel_table.h"
#include "model/kv_cache.h"
#include "model/model_config.h"

namespace llma {

// cos and sin of every RoPE pair at one position, [head_dim / 2] each.
struct RopeRow {
  const float* cos;
  const float* sin;
};
// Fills cos and sin for `position`.
void ComputeRopeRow(std::span<const uint64_t> rope_steps, uint64_t position,
                    float* cos, float* sin);

// Rotates one head: dims i and i + head_dim / 2 are a pair.
//   in, out: [head_dim]
void RotateHead(const float* in, RopeRow rope, uint32_t head_dim, float* out);

// Positions of one stream that are attended together. Queries see the sinks
// and the last window_positions positions, themselves included.
inline constexpr uint32_t kMaxQueryPositions = 24;

// Scratch memory for one thread.
class AttentionScratch {
 public:
  // `max_window_positions`: of any head.
  AttentionScratch(const ModelConfig& config, uint32_t max_window_positions);

  // What one takes.
  static uint64_t SizeBytes(const ModelConfig& config,
                            uint32_t max_window_positions);

 private:
  friend class AttentionBlock;
  static uint32_t Stride(uint32_t max_window_positions);
  uint32_t stride_;                   // positions a row of scores holds
  AlignedBuffer<float> rotated_;      // [row, head_dim]
  AlignedBuffer<int8_t> q_, sink_q_;  // [row, head_dim]
  AlignedBuffer<float> q_scales_, sink_q_scales_;    // [row]
  AlignedBuffer<int32_t> q_starts_, sink_q_starts_;  // [row]
  AlignedBuffer<float> scores_;                      // [kScoredRows, stride]
  AlignedBuffer<float> v_scales_;                    // [stride]
  AlignedBuffer<uint8_t> weights_hi_, weights_lo_;   // [row, stride]
  AlignedBuffer<int32_t> sums_hi_, sums_lo_;         // [row, head_dim]
  AlignedBuffer<float> out_scales_;                  // [row]
};

// A position of a tree, in which several may follow the same one.
struct TreePosition {
  uint32_t depth;      // positions between the tree's first one and it
  uint32_t ancestors;  // bit i: it follows position i of the tree, or is it
};

// What one call attends: `num_positions` <= kMaxQueryPositions consecutive
// positions from `first_position` on, the query heads of one KV head. Their
// keys and values are in the cache already.
struct AttentionTask {
  const KvCache* cache;
  uint32_t layer;
  uint32_t kv_head;
  uint64_t first_position;
  uint32_t num_positions;
  // [num_positions], by depth, if they are a tree after the sinks: where they
  // are in the cache is then not where they are in the text. Else null.
  const TreePosition* tree;
  const float* q;  // [num_positions, q_stride]: unrotated, all query heads
  size_t q_stride;
  const RopeRow* ropes;  // [num_positions]
  RopeRow sink_rope;     // position kNumSinks + the head's window - 1
  float* out;            // [num_positions, out_stride]: all query heads
  size_t out_stride;
};
// `next`: what this thread will probably attend next, or null; its keys and
// values are brought into the second-level cache meanwhile.
void Attend(const KernelTable& kernels, const ModelConfig& config,
            const AttentionTask& task, const AttentionTask* next,
            AttentionScratch& scratch);

}  // namespace llma

#endif  // LLMA_MODEL_ATTENTION_H_
