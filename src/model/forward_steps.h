// SPDX-License-Identifier: Apache-2.0
// The steps of the forward pass (docs/NUMERICS.md, section 5) on single rows,
// heads and groups of columns, and the buffers between them. Who computes which
// of them, and in which order, is for executors to say (forward.cc).
#ifndef LLMA_MODEL_FORWARD_STEPS_H_
#define LLMA_MODEL_FORWARD_STEPS_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "base/aligned_buffer.h"
#include "kernels/kernel_table.h"
#include "model/attention.h"
#include "model/batch_plan.h"
#include "model/learned_weights.h"
#include "model/learner.h"
#include "model/model.h"

namespace llma {

// Called with what a step gives: the step as ReferenceForward names it, and
// values of a row of the batch from column `col` on. From any thread.
using ForwardTrace =
    std::function<void(uint32_t layer, std::string_view name, uint32_t row,
                       uint32_t col, std::span<const float> values)>;

// Consecutive rows of the batch. What a layer's steps hand to each other is in
// buffers that hold fewer rows than the batch has: `first` is at buffer_first.
struct RowRange {
  uint32_t first, count;
  uint32_t buffer_first;
  uint32_t end() const { return first + count; }
  uint32_t InBuffer(uint32_t row) const { return row - first + buffer_first; }
};

// y = w times each row of x; rows of y are y_stride apart.
struct Product {
  const LinearWeights& w;
  QuantizedRows x;
  float* y;
  size_t y_stride;
  LowRank update = {};  // what was learnt of w, if anything
};

// Functions of different rows, heads or columns may run at the same time, with
// different `thread_idx`, which names scratch memory.
class ForwardSteps {
 public:
  // `max_rows`: of a batch. `buffer_rows`: of the buffers within a layer.
  ForwardSteps(const Model& model, const KernelTable& kernels,
               const BatchPlan& plan, int num_threads, uint32_t max_rows,
               uint32_t buffer_rows, uint32_t max_window_positions);

  // What one takes, with its plan.
  static uint64_t SizeBytes(const ModelConfig& config, int num_threads,
                            uint32_t max_rows, uint32_t buffer_rows,
                            uint32_t max_window_positions);
  static size_t LogitsStride(const ModelConfig& config);

  void set_trace(ForwardTrace trace) { trace_ = std::move(trace); }
  // Uses what was learnt, and keeps of each row what learning needs, under its
  // number or, if `places` is not null, under (*places)[row]. The first two are
  // both null, or neither.
  void set_learning(LearnedWeights* learned, TokenRecords* records,
                    const std::vector<uint32_t>* places) {
    learned_ = learned;
    records_ = records;
    places_ = places;
  }

  // x = the token's embedding; h = Quantise(RmsNorm(x, attn_norm)) of layer 0.
  void Embed(const RowRange& rows, uint32_t row, int thread_idx);

  // q, k, v = W_qkv h.
  Product Qkv(uint32_t layer, const RowRange& rows);
  // [q, k, v + bias; q and k normed]; stores Quantise(Rotate(k)), Quantise(v)
  // of a KV head, and finishes its queries.
  void StoreHead(uint32_t layer, uint32_t row, uint32_t kv_head);

  // o = attention of a KV head's queries, of the `task`-th of all pairs of KV
  // head and block; quantised already where a head fills whole groups of
  // columns. next_task: what the thread attends next, whose keys and values are
  // fetched meanwhile; `task` itself if there is none.
  void AttendHead(uint32_t layer, const RowRange& rows,
                  std::span<const QueryBlock> blocks, size_t task,
                  size_t next_task, int thread_idx);
  // The same pair: the block, and its KV head.
  static const QueryBlock& BlockOf(std::span<const QueryBlock> blocks,
                                   size_t task) {
    return blocks[task % blocks.size()];
  }
  static uint32_t HeadOf(std::span<const QueryBlock> blocks, uint32_t layer,
                         size_t task) {
    // Consecutive tasks share a head, whose keys and values may be the same;
    // the widest windows come first, so that threads end together.
    return BlockOf(blocks, task)
        .cache->HeadByWindow(layer,
                             static_cast<uint32_t>(task / blocks.size()));
  }
  // Whether o is still to be quantised by rows.
  bool QuantizesByRow() const {
    return config_.q_dim() / config_.num_kv_heads % kGroupSize != 0;
  }
  void QuantizeRow(const RowRange& rows, uint32_t row) {
    QuantizeHeads(rows.InBuffer(row), 0, config_.q_dim());
  }
  // a = W_out o.
  Product AttentionOut(uint32_t layer, const RowRange& rows);
  // x = x + [RmsNorm](a); h = Quantise(RmsNorm(x, ffn_norm)).
  void EndAttention(uint32_t layer, const RowRange& rows, uint32_t row,
                    int thread_idx);

  // Gate(g, u) where g, u = W_gate_up h: groups of columns.
  uint32_t num_gate_groups() const { return config_.ffn_dim / kGroupSize; }
  void MultiplyGates(uint32_t layer, const RowRange& rows, uint32_t group_begin,
                     uint32_t group_end);
  void ApplyGates(uint32_t layer, const RowRange& rows, uint32_t group_begin,
                  uint32_t group_end, int thread_idx);
  // a = W_down of it.
  Product FeedForwardDown(uint32_t layer, const RowRange& rows);
  // x = x + [RmsNorm](a); then h for the next layer, if there is one.
  void EndLayer(uint32_t layer, const RowRange& rows, uint32_t row,
                int thread_idx);

  // h = Quantise(RmsNorm(x, output_norm)); logits = W_head h; SoftCap.
  void NormOutput(uint32_t row, int thread_idx);
  Product Logits(uint32_t row_begin, uint32_t num_rows, float* logits);
  static uint32_t LogitPanels(const ModelConfig& config);
  void EndLogits(uint32_t row, float* logits);

  // Panels of all rows of a product.
  void Multiply(const Product& product, uint32_t panel_begin,
                uint32_t panel_end) const {
    kernels_.matmul(product.w, panel_begin, panel_end, product.x, product.y,
                    product.y_stride);
    if (product.update.a != nullptr) AddUpdate(product, panel_begin, panel_end);
  }
  // Gives the trace, if there is one, a whole product, or o.
  void Report(uint32_t layer, const char* name, const RowRange& rows,
              const Product& product) const {
    ReportRows(layer, name, rows, product.y, product.y_stride,
               product.w.num_rows);
  }
  void ReportAttention(uint32_t layer, const RowRange& rows) const;

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

  LowRank UpdateOf(uint32_t layer, LearnedMatrix matrix) const {
    return learned_ == nullptr ? LowRank() : learned_->update(layer, matrix);
  }
  void AddUpdate(const Product& product, uint32_t panel_begin,
                 uint32_t panel_end) const;
  uint32_t PlaceOf(uint32_t row) const {
    return places_ == nullptr ? row : (*places_)[row];
  }
  float* XAt(uint32_t row) { return x_.data() + size_t{row} * config_.dim; }
  // x += delta, normed first unless the weights are empty.
  void AddDelta(uint32_t row, uint32_t buffer_row,
                std::span<const float> post_norm, int thread_idx);
  // normed = Quantise(RmsNorm(x, weight)), a step that the trace gets.
  void NormInto(uint32_t layer, const char* name, uint32_t row,
                std::span<const float> weight, uint32_t buffer_row,
                int thread_idx);
  // Adds a head's bias and norms it, where the model does.
  void FinishHead(const LayerWeights& w, uint32_t head,
                  std::span<const float> norm, float* qkv);
  AttentionTask TaskOf(uint32_t layer, const RowRange& rows,
                       const QueryBlock& block, uint32_t kv_head);
  // Columns of heads_ into mixed_.
  void QuantizeHeads(uint32_t buffer_row, uint32_t col, uint32_t num_cols);
  // Whole groups, from column `col` of a row with `row_cols` on.
  void QuantizeInto(const float* values, uint32_t num_cols, uint32_t row_cols,
                    uint32_t row, uint32_t col, Quantized& out);
  void ReportPart(uint32_t layer, const char* name, uint32_t row, uint32_t col,
                  const float* values, uint32_t num_cols) const {
    if (trace_) trace_(layer, name, row, col, {values, num_cols});
  }
  void ReportRows(uint32_t layer, const char* name, const RowRange& rows,
                  const float* values, size_t stride, uint32_t num_cols) const;

  const Model& model_;
  const ModelConfig& config_;
  const KernelTable& kernels_;
  const BatchPlan& plan_;
  ForwardTrace trace_;
  LearnedWeights* learned_ = nullptr;
  TokenRecords* records_ = nullptr;
  const std::vector<uint32_t>* places_ = nullptr;

  AlignedBuffer<float> x_;    // [row, dim]: the residual stream
  AlignedBuffer<float> qkv_;  // [row, qkv_dim]
  // [RowRange::InBuffer, ...]:
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

#endif  // LLMA_MODEL_FORWARD_STEPS_H_
