// SPDX-License-Identifier: Apache-2.0
// Two ways to share a batch out to threads. With many rows a thread takes some
// of them through all steps of a layer; with few rows all threads share the
// columns of each step. The steps are those of forward_steps.h.
#include "model/forward.h"

#include <algorithm>
#include <vector>

namespace llma {
namespace {

// From this many rows for each thread on, a thread takes rows through all steps
// of a layer by itself, at most kMaxPartRows at a time: what the steps hand to
// each other then stays in its second-level cache. Fewer rows share each
// product's weights instead.
constexpr uint32_t kMinThreadRows = 32;
constexpr uint32_t kMaxPartRows = 64;
// The most rows that one task of an elementwise step takes.
constexpr uint32_t kRowsPerTask = 4;

// The buffers within a layer: parts may be a row apart in size, and each thread
// has room for the largest.
uint32_t BufferRows(uint32_t max_rows, int num_threads) {
  return max_rows + static_cast<uint32_t>(num_threads);
}

// Parts that threads take through layers by themselves; 1: they share columns.
uint32_t NumParts(uint32_t num_rows, int num_threads) {
  const auto threads = static_cast<uint32_t>(num_threads);
  if (num_rows < kMinThreadRows * threads) return 1;
  const uint32_t round_rows = threads * kMaxPartRows;
  return (num_rows + round_rows - 1) / round_rows * threads;
}

// The clock follows the thread that leads.
void Enter(StageClock* clock, int thread_idx, Stage stage) {
  if (thread_idx == 0) EnterStage(clock, stage);
}

// Rows of a thread through a layer.
class RowExecutor {
 public:
  RowExecutor(const ModelConfig& config, const BatchPlan& plan,
              ForwardSteps& steps, ThreadPool& pool, StageClock* clock,
              uint32_t num_parts)
      : config_(config),
        steps_(steps),
        pool_(pool),
        clock_(clock),
        max_part_rows_((plan.num_rows() + num_parts - 1) / num_parts),
        parts_(num_parts) {
    for (uint32_t i = 0; i < num_parts; ++i) {
      const uint32_t begin = plan.num_rows() * i / num_parts;
      const uint32_t end = plan.num_rows() * (i + 1) / num_parts;
      parts_[i].rows = {begin, end - begin, 0};
      plan.AddBlocks(begin, end, parts_[i].blocks);
    }
  }

  void Run() {
    ForParts([&](const Part& part, int thread_idx) {
      for (uint32_t row = part.rows.first; row < part.rows.end(); ++row) {
        steps_.Embed(part.rows, row, thread_idx);
      }
      StoreKeysAndValues(0, part, thread_idx);
    });
    for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
      // Rows see those of other parts, which have all stored their keys and
      // values of this layer by now.
      ForParts([&](const Part& part, int thread_idx) {
        Attention(layer, part, thread_idx);
        FeedForward(layer, part, thread_idx);
        if (layer + 1 < config_.num_layers) {
          StoreKeysAndValues(layer + 1, part, thread_idx);
        }
      });
    }
  }

 private:
  struct Part {
    RowRange rows;
    std::vector<QueryBlock> blocks;
  };

  // Calls work(part, thread_idx) for all parts, with buffers of the thread.
  template <class Work>
  void ForParts(const Work& work) {
    pool_.ParallelFor(parts_.size(), [&](size_t i, int thread_idx) {
      parts_[i].rows.buffer_first =
          static_cast<uint32_t>(thread_idx) * max_part_rows_;
      work(parts_[i], thread_idx);
    });
  }

  void Multiply(uint32_t layer, const char* name, const Part& part,
                const Product& product, int thread_idx) {
    Enter(clock_, thread_idx, Stage::kMatmul);
    steps_.Multiply(product, 0, product.w.num_panels());
    Enter(clock_, thread_idx, Stage::kElementwise);
    steps_.Report(layer, name, part.rows, product);
  }

  void StoreKeysAndValues(uint32_t layer, const Part& part, int thread_idx) {
    for (const QueryBlock& block : part.blocks) {
      for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
        block.cache->Prefetch(layer, head, block.first_position,
                              block.num_positions);
      }
    }
    Multiply(layer, "qkv", part, steps_.Qkv(layer, part.rows), thread_idx);
    for (uint32_t row = part.rows.first; row < part.rows.end(); ++row) {
      for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
        steps_.StoreHead(layer, row, head);
      }
    }
  }

  void Attention(uint32_t layer, const Part& part, int thread_idx) {
    Enter(clock_, thread_idx, Stage::kAttention);
    const size_t num_tasks = part.blocks.size() * config_.num_kv_heads;
    for (size_t i = 0; i < num_tasks; ++i) {
      steps_.AttendHead(layer, part.rows, part.blocks, i,
                        std::min(i + 1, num_tasks - 1), thread_idx);
    }
    Enter(clock_, thread_idx, Stage::kElementwise);
    steps_.ReportAttention(layer, part.rows);
    if (steps_.QuantizesByRow()) {
      for (uint32_t row = part.rows.first; row < part.rows.end(); ++row) {
        steps_.QuantizeRow(part.rows, row);
      }
    }
    Multiply(layer, "attention", part, steps_.AttentionOut(layer, part.rows),
             thread_idx);
    for (uint32_t row = part.rows.first; row < part.rows.end(); ++row) {
      steps_.EndAttention(layer, part.rows, row, thread_idx);
    }
  }

  void FeedForward(uint32_t layer, const Part& part, int thread_idx) {
    const uint32_t num_groups = steps_.num_gate_groups();
    Enter(clock_, thread_idx, Stage::kMatmul);
    steps_.MultiplyGates(layer, part.rows, 0, num_groups);
    Enter(clock_, thread_idx, Stage::kElementwise);
    steps_.ApplyGates(layer, part.rows, 0, num_groups, thread_idx);
    Multiply(layer, "feed_forward", part,
             steps_.FeedForwardDown(layer, part.rows), thread_idx);
    for (uint32_t row = part.rows.first; row < part.rows.end(); ++row) {
      steps_.EndLayer(layer, part.rows, row, thread_idx);
    }
  }

  const ModelConfig& config_;
  ForwardSteps& steps_;
  ThreadPool& pool_;
  StageClock* clock_;
  const uint32_t max_part_rows_;
  std::vector<Part> parts_;
};

// Columns of a step over threads: each step is shared out by itself.
class ColumnExecutor {
 public:
  ColumnExecutor(const ModelConfig& config, const BatchPlan& plan,
                 ForwardSteps& steps, ThreadPool& pool, StageClock* clock)
      : config_(config),
        plan_(plan),
        steps_(steps),
        pool_(pool),
        clock_(clock),
        all_({0, plan.num_rows(), 0}) {}

  void Run() {
    std::vector<QueryBlock> blocks;
    plan_.AddBlocks(0, plan_.num_rows(), blocks);
    ForRows(all_, [&](uint32_t row, int thread_idx) {
      steps_.Embed(all_, row, thread_idx);
    });
    for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
      Multiply(layer, "qkv", steps_.Qkv(layer, all_));
      Attention(layer, blocks);
      ForRows(all_, [&](uint32_t row, int thread_idx) {
        steps_.EndAttention(layer, all_, row, thread_idx);
      });
      Gates(layer);
      Multiply(layer, "feed_forward", steps_.FeedForwardDown(layer, all_));
      ForRows(all_, [&](uint32_t row, int thread_idx) {
        steps_.EndLayer(layer, all_, row, thread_idx);
      });
    }
  }

  void Logits(uint32_t row_begin, uint32_t num_rows, float* logits) {
    const RowRange rows = {row_begin, num_rows, row_begin};
    EnterStage(clock_, Stage::kHead);
    ForRows(rows, [&](uint32_t row, int thread_idx) {
      steps_.NormOutput(row, thread_idx);
    });
    const Product product = steps_.Logits(row_begin, num_rows, logits);
    MultiplyShares(product, ForwardSteps::LogitPanels(config_));
    ForRows(rows, [&](uint32_t row, int) {
      steps_.EndLogits(row, logits + (row - row_begin) * product.y_stride);
    });
  }

 private:
  // o = attention; a = W_out o.
  void Attention(uint32_t layer, std::span<const QueryBlock> blocks) {
    // Where a stream has one block, the task that attends it stores its keys
    // and values just before; a later block of a stream needs those of the
    // earlier ones.
    const bool stores_when_attending = blocks.size() == plan_.num_streams();
    if (!stores_when_attending) {
      ForRows(all_, [&](uint32_t row, int) {
        for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
          steps_.StoreHead(layer, row, head);
        }
      });
    }
    EnterStage(clock_, Stage::kAttention);
    pool_.ParallelFor(
        blocks.size() * config_.num_kv_heads, [&](size_t i, int thread_idx) {
          if (stores_when_attending) StoreBlock(layer, blocks, i);
          // With few queries it is too soon to fetch what comes next.
          steps_.AttendHead(layer, all_, blocks, i, i, thread_idx);
        });
    EnterStage(clock_, Stage::kElementwise);
    steps_.ReportAttention(layer, all_);
    if (steps_.QuantizesByRow()) {
      ForRows(all_, [&](uint32_t row, int) { steps_.QuantizeRow(all_, row); });
    }
    Multiply(layer, "attention", steps_.AttentionOut(layer, all_));
  }

  void StoreBlock(uint32_t layer, std::span<const QueryBlock> blocks,
                  size_t task) {
    const QueryBlock& block = ForwardSteps::BlockOf(blocks, task);
    const uint32_t kv_head = ForwardSteps::HeadOf(blocks, layer, task);
    for (uint32_t i = 0; i < block.num_positions; ++i) {
      steps_.StoreHead(layer, block.first_row + i, kv_head);
    }
  }

  void Gates(uint32_t layer) {
    ForShares(steps_.num_gate_groups(),
              [&](uint32_t begin, uint32_t end, int thread_idx) {
                Enter(clock_, thread_idx, Stage::kMatmul);
                steps_.MultiplyGates(layer, all_, begin, end);
                Enter(clock_, thread_idx, Stage::kElementwise);
                steps_.ApplyGates(layer, all_, begin, end, thread_idx);
              });
  }

  void Multiply(uint32_t layer, const char* name, const Product& product) {
    EnterStage(clock_, Stage::kMatmul);
    MultiplyShares(product, product.w.num_panels());
    EnterStage(clock_, Stage::kElementwise);
    steps_.Report(layer, name, all_, product);
  }

  void MultiplyShares(const Product& product, uint32_t num_panels) {
    // Pairs of panels share loads of x.
    ForShares((num_panels + 1) / 2, [&](uint32_t begin, uint32_t end, int) {
      steps_.Multiply(product, 2 * begin, std::min(num_panels, 2 * end));
    });
  }

  // Calls work(begin, end, thread_idx) for shares of [0, count).
  template <class Work>
  void ForShares(uint32_t count, const Work& work) {
    // Two tasks a thread even out what the machine does beside us. A thread's
    // tasks lie side by side, so that what a kernel fetches ahead of their ends
    // is its own.
    const auto threads = static_cast<uint32_t>(pool_.num_threads());
    const uint32_t tasks_each = threads == 1 ? 1 : 2;
    const uint32_t num_tasks = threads * tasks_each;
    pool_.ParallelFor(num_tasks, [&](size_t i, int thread_idx) {
      const auto task =
          static_cast<uint32_t>(i % threads * tasks_each + i / threads);
      const uint32_t begin = count * task / num_tasks;
      const uint32_t end = count * (task + 1) / num_tasks;
      if (begin < end) work(begin, end, thread_idx);
    });
  }

  // Calls work(row, thread_idx) for the rows.
  template <class Work>
  void ForRows(const RowRange& rows, const Work& work) {
    const auto threads = static_cast<uint32_t>(pool_.num_threads());
    const uint32_t rounds =
        (rows.count + threads * kRowsPerTask - 1) / (threads * kRowsPerTask);
    const uint32_t tasks = std::min(rows.count, rounds * threads);
    pool_.ParallelFor(tasks, [&](size_t i, int thread_idx) {
      const auto task = static_cast<uint32_t>(i);
      const uint32_t end = rows.first + rows.count * (task + 1) / tasks;
      for (uint32_t row = rows.first + rows.count * task / tasks; row < end;
           ++row) {
        work(row, thread_idx);
      }
    });
  }

  const ModelConfig& config_;
  const BatchPlan& plan_;
  ForwardSteps& steps_;
  ThreadPool& pool_;
  StageClock* clock_;
  const RowRange all_;
};

}  // namespace

ForwardPass::ForwardPass(const Model& model, const KernelTable& kernels,
                         ThreadPool& pool, uint32_t max_rows,
                         uint32_t max_window_positions)
    : model_(model),
      config_(model.config()),
      pool_(pool),
      plan_(model, max_rows),
      steps_(model, kernels, plan_, pool.num_threads(), max_rows,
             BufferRows(max_rows, pool.num_threads()), max_window_positions) {}

uint64_t ForwardPass::SizeBytes(const ModelConfig& config, uint32_t max_rows,
                                uint32_t max_window_positions,
                                int num_threads) {
  return ForwardSteps::SizeBytes(config, num_threads, max_rows,
                                 BufferRows(max_rows, num_threads),
                                 max_window_positions);
}

void ForwardPass::Run(std::span<const StreamBatch> batch) {
  EnterStage(clock_, Stage::kElementwise);
  plan_.Set(batch);
  if (clock_ != nullptr) CountWork();
  // A tree stays with one thread, so parts would be uneven.
  const uint32_t num_parts =
      plan_.has_trees() ? 1 : NumParts(plan_.num_rows(), pool_.num_threads());
  if (num_parts > 1) {
    RowExecutor(config_, plan_, steps_, pool_, clock_, num_parts).Run();
  } else {
    ColumnExecutor(config_, plan_, steps_, pool_, clock_).Run();
  }
  for (const StreamBatch& stream : batch) {
    stream.cache->Advance(static_cast<uint32_t>(stream.tokens.size()));
  }
}

void ForwardPass::ComputeLogits(uint32_t row_begin, uint32_t num_rows,
                                float* logits) {
  CountLogits(num_rows);
  ColumnExecutor(config_, plan_, steps_, pool_, clock_)
      .Logits(row_begin, num_rows, logits);
  EnterStage(clock_, Stage::kTokenWeights);
}

void ForwardPass::ComputeOwnLogits(uint32_t row_begin, uint32_t num_rows,
                                   float* logits, int thread_idx) {
  Enter(clock_, thread_idx, Stage::kHead);
  for (uint32_t i = 0; i < num_rows; ++i) {
    steps_.NormOutput(row_begin + i, thread_idx);
  }
  const Product product = steps_.Logits(row_begin, num_rows, logits);
  steps_.Multiply(product, 0, ForwardSteps::LogitPanels(config_));
  for (uint32_t i = 0; i < num_rows; ++i) {
    steps_.EndLogits(row_begin + i, logits + i * product.y_stride);
  }
  Enter(clock_, thread_idx, Stage::kTokenWeights);
}

void ForwardPass::CountLogits(uint32_t num_rows) {
  if (clock_ == nullptr) return;
  clock_->AddMultiplyAdds(uint64_t{num_rows} * config_.dim *
                          ForwardSteps::LogitPanels(config_) * kPanelRows);
}

// Multiply-adds of all layers. Scores once, or twice with wide keys; values
// twice: the weights' two halves.
void ForwardPass::CountWork() {
  uint64_t visible_positions = 0;  // summed over layers and their KV heads
  uint64_t weights = 0;
  for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
    for (uint32_t i = 0; i < plan_.num_rows(); ++i) {
      const BatchPlan::Row& row = plan_.row(i);
      for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
        visible_positions += std::min<uint64_t>(
            row.position + 1,
            uint64_t{kNumSinks} + row.cache->window_positions(layer, head));
      }
    }
    const LayerWeights& w = model_.layer(layer);
    for (const LinearWeights* linear :
         {&w.qkv, &w.attn_out, &w.gate_up, &w.ffn_down}) {
      weights += linear->values_bytes();
    }
  }
  const uint32_t products = config_.key_width == KeyWidth::k15Bits ? 4 : 3;
  clock_->AddPositions(plan_.num_rows());
  clock_->AddMultiplyAdds(plan_.num_rows() * weights +
                          products * visible_positions * config_.q_dim() /
                              config_.num_kv_heads);
}

}  // namespace llma
