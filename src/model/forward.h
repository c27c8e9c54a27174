// SPDX-License-Identifier: Apache-2.0
// The forward pass: tokens of any number of streams in, logits of their next
// tokens out.
//
// Shapes: a "row" is one position of one stream; rows of a batch are numbered
// through. x: [row, dim] float, the residual stream.
#ifndef LLMA_MODEL_FORWARD_H_
#define LLMA_MODEL_FORWARD_H_

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/stage_clock.h"
#include "base/thread_pool.h"
#include "kernels/kernel_table.h"
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
  // distance from the first, after the sinks, and no other stream beside them;
  // KvCache::Keep() must follow.
  std::span<const uint32_t> parents = {};
};

// Told what a step gives: the step as ReferenceForward names it, and values of
// a row of the batch from column `col` on. From any thread.
using ForwardTrace =
    std::function<void(uint32_t layer, std::string_view name, uint32_t row,
                       uint32_t col, std::span<const float> values)>;

// Goals: the same bits for any split of the tokens into batches, any number of
// streams beside each other, any thread count and kernel set.
// Thread-compatible. Model, kernels and pool must outlive it.
class ForwardPass {
 public:
  // `max_rows`: the most rows of one Run; `max_window_positions`: of any
  // cache.
  ForwardPass(const Model& model, const KernelTable& kernels, ThreadPool& pool,
              uint32_t max_rows, uint32_t max_window_positions);

  // What one takes, with a pool of so many threads.
  static uint64_t SizeBytes(const ModelConfig& config, uint32_t max_rows,
                            uint32_t max_window_positions, int num_threads);

  // Tells `clock`, which must outlive this, where the time goes; null: nobody.
  void set_clock(StageClock* clock) { clock_ = clock; }

  // For tests, and to find where a port differs.
  void set_trace(ForwardTrace trace) { trace_ = std::move(trace); }

  // Runs all layers and advances the caches. Each cache at most once a call,
  // with no more tokens than its max_batch_positions.
  void Run(std::span<const StreamBatch> batch);

  // Logits for the token after each of rows [row_begin, row_begin + num_rows)
  // of the last Run. All threads compute them together; or, in a task of the
  // pool, the thread `thread_idx` by itself, beside others with other rows, and
  // then CountLogits tells the clock of all.
  //   logits: [num_rows, logits_stride()], the first num_tokens count
  void ComputeLogits(uint32_t row_begin, uint32_t num_rows, float* logits,
                     int thread_idx = kAllThreads);
  void CountLogits(uint32_t num_rows);
  size_t logits_stride() const { return LogitsStride(config_); }
  static size_t LogitsStride(const ModelConfig& config);

  static constexpr int kAllThreads = -1;

  // The residual stream after the last layer, [row, dim], for tests.
  std::span<const float> residual() const {
    return {x_.data(), size_t{num_rows_} * config_.dim};
  }

 private:
  // Quantised rows with their storage.
  struct Quantized {
    AlignedBuffer<int8_t> values;   // [row, cols]
    AlignedBuffer<float> scales;    // [row, groups]
    AlignedBuffer<int32_t> starts;  // [row, groups]
    Quantized(uint32_t max_rows, uint32_t cols)
        : values(size_t{max_rows} * cols),
          scales(size_t{max_rows} * (cols / kGroupSize)),
          starts(size_t{max_rows} * (cols / kGroupSize)) {}
    QuantizedRows View(uint32_t first_row, uint32_t num_rows,
                       uint32_t cols) const {
      const uint32_t groups = cols / kGroupSize;
      return {values.data() + size_t{first_row} * cols,
              scales.data() + size_t{first_row} * groups,
              starts.data() + size_t{first_row} * groups,
              num_rows,
              cols,
              groups};
    }
  };
  // Rows of one stream that one attention task takes.
  struct QueryBlock {
    const KvCache* cache;
    uint64_t first_position;
    uint32_t first_row;
    uint32_t num_positions;
  };
  // Rows that one step takes, and who does: a thread, or all of them.
  struct Scope {
    uint32_t first_row, num_rows;
    uint32_t first_query_block, num_query_blocks;
    // Where the rows are in buffers that only live within a scope's steps.
    uint32_t buffer_row;
    int thread_idx;  // or kAllThreads
    uint32_t RowInBuffer(uint32_t row) const {
      return row - first_row + buffer_row;
    }
  };
  // RoPE of all rows with the steps of one kind of layers.
  struct Ropes {
    std::span<const uint64_t> steps;
    AlignedBuffer<float> values;  // [row, cos | sin, head_dim / 2]
    std::vector<RopeRow> rows;    // [row]
    // [window][cos | sin, head_dim / 2]: for far queries, of all windows that
    // there were.
    std::map<uint32_t, std::vector<float>> sinks;
  };

  void PlanRows(std::span<const StreamBatch> batch);
  void PlanTree(std::span<const StreamBatch> batch);
  void PlanRopes(std::span<const StreamBatch> batch, Ropes& ropes);
  void PlanScopes(std::span<const StreamBatch> batch);
  Ropes& ropes_of(uint32_t layer) { return ropes_[config_.is_local(layer)]; }
  void CountWork();
  // Adds what layer - 1 has computed, or embeds the tokens, and stores what the
  // attention of `layer` needs, if there is one.
  void BetweenLayers(uint32_t layer, const Scope& scope);
  void Embed(uint32_t row);
  void StoreLayer(uint32_t layer, const Scope& scope);
  void AttentionLayer(uint32_t layer, const Scope& scope);
  void FeedForwardLayer(uint32_t layer, const Scope& scope);
  // gated = Gate(W_gate . normed, W_up . normed), groups of its columns.
  void GateGroups(uint32_t layer, const Scope& scope, uint32_t group_begin,
                  uint32_t group_end, int thread_idx);
  // Attends a KV head of a query block of the scope: task = [head, block].
  // next_task: see Attend; `task` itself if there is none.
  void AttendHead(uint32_t layer, const Scope& scope, size_t task,
                  size_t next_task, int thread_idx);
  // Adds a head's bias and norms it, where the model does.
  void FinishHead(const LayerWeights& w, uint32_t head,
                  std::span<const float> norm, float* qkv);
  void StoreHead(uint32_t layer, uint32_t row, uint32_t kv_head);
  // Whether what attends a KV head can quantise its results: whole groups.
  bool QuantizesByHead() const;
  // Columns of heads_ into mixed_.
  void QuantizeHeads(uint32_t row, uint32_t col, uint32_t num_cols);
  AttentionTask TaskOf(uint32_t layer, const QueryBlock& block,
                       uint32_t kv_head, const Scope& scope);
  // x += delta, normed first unless the weights are empty.
  void AddDelta(uint32_t row, uint32_t delta_row,
                std::span<const float> post_norm, int thread_idx);
  // normed = quantised RmsNorm(x), a step that the trace is told of.
  void NormInto(uint32_t layer, const char* name, uint32_t row,
                std::span<const float> norm_weight, int thread_idx,
                uint32_t normed_row);
  // Whole groups, from column `col` of a row with `row_cols` on.
  void QuantizeInto(const float* values, uint32_t num_cols, uint32_t row_cols,
                    uint32_t row, uint32_t col, Quantized& out);
  // y, which is at the scope's first row, = w times the scope's rows of x.
  void Multiply(const Scope& scope, const LinearWeights& w, const Quantized& x,
                uint32_t cols, float* y, size_t y_stride);
  uint32_t HeadPanels() const;
  // All threads together.
  void MultiplyTogether(const LinearWeights& w, uint32_t num_panels,
                        const QuantizedRows& x, float* y, size_t y_stride);
  // Calls work(begin, end, thread_idx) for shares of [0, count), all threads
  // together.
  template <class Work>
  void ForShares(uint32_t count, const Work& work);
  // Calls work(row, thread_idx) for the scope's rows.
  template <class Work>
  void ForRows(const Scope& scope, const Work& work);
  // Tells the trace, if there is one.
  void Report(uint32_t layer, const char* name, uint32_t row, uint32_t col,
              const float* values, uint32_t num_cols) const {
    if (trace_) trace_(layer, name, row, col, {values, num_cols});
  }
  // The same of all rows of the scope; `values` are those of its first row.
  void ReportRows(uint32_t layer, const char* name, const Scope& scope,
                  const float* values, size_t stride, uint32_t num_cols) const {
    if (!trace_) return;
    for (uint32_t i = 0; i < scope.num_rows; ++i) {
      Report(layer, name, scope.first_row + i, 0, values + i * stride,
             num_cols);
    }
  }
  // The clock follows the calling thread.
  void Enter(int thread_idx, Stage stage) {
    if (thread_idx <= 0) EnterStage(clock_, stage);
  }

  const Model& model_;
  const ModelConfig& config_;
  const KernelTable& kernels_;
  ThreadPool& pool_;
  StageClock* clock_ = nullptr;
  ForwardTrace trace_;

  uint32_t num_rows_ = 0;
  std::vector<KvCache*> row_cache_;     // [row]
  std::vector<uint64_t> row_position_;  // [row]: in the text
  std::vector<uint64_t> row_place_;     // [row]: in the cache
  std::vector<TreePosition> tree_;      // [row], if there is one
  std::vector<uint32_t> row_token_;     // [row]
  std::vector<QueryBlock> query_blocks_;
  std::vector<Scope> scopes_;  // together all rows
  uint32_t max_scope_rows_ = 0;
  // Whether a query block's keys and values are stored where it is attended: no
  // stream has two blocks.
  bool attention_stores_ = false;
  Ropes ropes_[2];  // of layers that see everything, of local layers

  AlignedBuffer<float> x_;    // [row, dim]
  AlignedBuffer<float> qkv_;  // [row, qkv_dim]
  // [Scope::RowInBuffer, ...]:
  uint32_t buffer_rows_;
  AlignedBuffer<float> delta_;    // [row, dim]: what a sublayer adds
  AlignedBuffer<float> heads_;    // [row, q_dim]: attention's output
  AlignedBuffer<float> gate_up_;  // [row, 2 * ffn_dim]
  Quantized normed_;              // [row, dim]
  Quantized mixed_;               // [row, q_dim]: heads_, quantised
  Quantized gated_;               // [row, ffn_dim]
  // Per thread:
  std::vector<AttentionScratch> attention_scratch_;
  std::vector<AlignedBuffer<float>> row_scratch_;  // [max(dim, ffn_dim)]
};

}  // namespace llma

#endif  // LLMA_MODEL_FORWARD_H_
