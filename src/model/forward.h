// SPDX-License-Identifier: Apache-2.0
// The forward pass: tokens of any number of streams in, logits of their next
// tokens out.
//
// Shapes: a "row" is one position of one stream; rows of a batch are numbered
// through. x: [row, dim] float, the residual stream.
#ifndef LLMA_MODEL_FORWARD_H_
#define LLMA_MODEL_FORWARD_H_

#include <cstdint>
#include <span>
#include <utility>

#include "base/stage_clock.h"
#include "base/thread_pool.h"
#include "kernels/kernel_table.h"
#include "model/batch_plan.h"
#include "model/forward_steps.h"
#include "model/model.h"

namespace llma {

// Goals: the same bits for any split of the tokens into batches, any number of
// streams beside each other, any thread count and kernel set.
// Thread-compatible. Model, kernels and pool must outlive it.
class ForwardPass {
 public:
  // `max_rows`: the most rows of one Run; `max_window_positions`: of any
  // cache.
  ForwardPass(const Model& model, const KernelTable& kernels, ThreadPool& pool,
              uint32_t max_rows, uint32_t max_window_positions);

  // What one takes, with a pool of this many threads.
  static uint64_t SizeBytes(const ModelConfig& config, uint32_t max_rows,
                            uint32_t max_window_positions, int num_threads);

  // Reports the time of each stage to `clock`, which must outlive this; may be
  // null.
  void set_clock(StageClock* clock) { clock_ = clock; }
  // ForwardSteps::set_learning().
  void set_learning(LearnedWeights* learned, TokenRecords* records,
                    const std::vector<uint32_t>* places) {
    steps_.set_learning(learned, records, places);
  }
  // For tests, and to find where a port differs.
  void set_trace(ForwardTrace trace) { steps_.set_trace(std::move(trace)); }

  // Runs all layers and advances the caches. Each cache at most once a call,
  // with no more tokens than its max_batch_positions.
  void Run(std::span<const StreamBatch> batch);

  // Logits for the token after each of rows [row_begin, row_begin + num_rows)
  // of the last Run, by all threads together.
  //   logits: [num_rows, logits_stride()], the first num_tokens count
  void ComputeLogits(uint32_t row_begin, uint32_t num_rows, float* logits);
  // The same by one thread, in a task of the pool, beside others with other
  // rows; CountLogits adds the work of all to the clock.
  void ComputeOwnLogits(uint32_t row_begin, uint32_t num_rows, float* logits,
                        int thread_idx);
  void CountLogits(uint32_t num_rows);
  size_t logits_stride() const { return LogitsStride(config_); }
  static size_t LogitsStride(const ModelConfig& config) {
    return ForwardSteps::LogitsStride(config);
  }

 private:
  void CountWork();

  const Model& model_;
  const ModelConfig& config_;
  ThreadPool& pool_;
  StageClock* clock_ = nullptr;
  BatchPlan plan_;
  ForwardSteps steps_;
};

}  // namespace llma

#endif  // LLMA_MODEL_FORWARD_H_
