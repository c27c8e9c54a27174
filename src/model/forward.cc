// SPDX-License-Identifier: Apache-2.0
#include "model/forward.h"

#include <algorithm>

namespace llma {
namespace {

// The most rows that one task of an elementwise step takes.
constexpr uint32_t kRowsPerTask = 4;

uint32_t PaddedRows(uint32_t num_rows) {
  return (num_rows + kPanelRows - 1) / kPanelRows * kPanelRows;
}

// Rows of a matrix product's result lie so far apart: two cache lines more than
// needed, because at a multiple of 4 KB all would share one set of the cache.
uint32_t PaddedStride(uint32_t num_rows) { return PaddedRows(num_rows) + 32; }

}  // namespace

ForwardPass::ForwardPass(const Model& model, const KernelTable& kernels,
                         ThreadPool& pool, uint32_t max_rows,
                         uint32_t max_window_positions)
    : model_(model),
      config_(model.config()),
      kernels_(kernels),
      pool_(pool),
      row_cache_(max_rows),
      row_position_(max_rows),
      row_place_(max_rows),
      row_token_(max_rows),
      x_(size_t{max_rows} * config_.dim),
      qkv_(size_t{max_rows} * PaddedStride(config_.qkv_dim())),
      // Scopes may be a row apart in size; each thread has room for the
      // largest.
      buffer_rows_(max_rows + static_cast<uint32_t>(pool.num_threads())),
      delta_(size_t{buffer_rows_} * config_.dim),
      heads_(size_t{buffer_rows_} * config_.q_dim()),
      gate_up_(size_t{buffer_rows_} * PaddedStride(2 * config_.ffn_dim)),
      normed_(buffer_rows_, config_.dim),
      mixed_(buffer_rows_, config_.q_dim()),
      gated_(buffer_rows_, config_.ffn_dim) {
  ropes_[0].steps = model.rope_steps();
  ropes_[1].steps = model.local_rope_steps();
  for (Ropes& ropes : ropes_) {
    if (ropes.steps.empty()) continue;
    ropes.values = AlignedBuffer<float>(size_t{max_rows} * config_.head_dim);
    ropes.rows.resize(max_rows);
  }
  for (int i = 0; i < pool.num_threads(); ++i) {
    attention_scratch_.emplace_back(
        config_, config_.MaxHeadWindow(max_window_positions));
    row_scratch_.emplace_back(std::max(config_.dim, config_.ffn_dim));
  }
}

uint64_t ForwardPass::SizeBytes(const ModelConfig& config, uint32_t max_rows,
                                uint32_t max_window_positions,
                                int num_threads) {
  const auto threads = static_cast<uint64_t>(num_threads);
  const uint64_t buffer_rows = max_rows + threads;
  const uint64_t floats =
      max_rows *
          (config.dim + PaddedStride(config.qkv_dim()) + 2 * config.head_dim) +
      buffer_rows *
          (config.dim + config.q_dim() + PaddedStride(2 * config.ffn_dim)) +
      threads * std::max(config.dim, config.ffn_dim);
  // A scale and a start for each group.
  const uint64_t quantized =
      buffer_rows * (config.dim + config.q_dim() + config.ffn_dim);
  return sizeof(float) * floats + quantized + 8 * quantized / kGroupSize +
         threads * AttentionScratch::SizeBytes(
                       config, config.MaxHeadWindow(max_window_positions));
}

void ForwardPass::Run(std::span<const StreamBatch> batch) {
  EnterStage(clock_, Stage::kElementwise);
  PlanRows(batch);
  if (clock_ != nullptr) CountWork();
  for (uint32_t layer = 0; layer <= config_.num_layers; ++layer) {
    // Positions of a scope see those of others, so that all have stored their
    // keys before any is attended.
    const auto run = [&](const Scope& scope) {
      if (layer > 0) {
        AttentionLayer(layer - 1, scope);
        FeedForwardLayer(layer - 1, scope);
      }
      BetweenLayers(layer, scope);
    };
    if (scopes_.size() == 1) {
      run(scopes_[0]);
      continue;
    }
    pool_.ParallelFor(scopes_.size(), [&](size_t i, int thread_idx) {
      Scope scope = scopes_[i];
      scope.thread_idx = thread_idx;
      scope.buffer_row = static_cast<uint32_t>(thread_idx) * max_scope_rows_;
      run(scope);
    });
  }
  for (const StreamBatch& stream : batch) {
    stream.cache->Advance(static_cast<uint32_t>(stream.tokens.size()));
  }
}

void ForwardPass::BetweenLayers(uint32_t layer, const Scope& scope) {
  ForRows(scope, [&](uint32_t row, int thread_idx) {
    if (layer == 0) {
      Embed(row);
    } else {
      AddDelta(row, scope.RowInBuffer(row),
               model_.layer(layer - 1).post_ffn_norm, thread_idx);
    }
    Report(layer, "x", row, 0, x_.data() + size_t{row} * config_.dim,
           config_.dim);
    if (layer == config_.num_layers) return;
    NormInto(layer, "attn_norm", row, model_.layer(layer).attn_norm, thread_idx,
             scope.RowInBuffer(row));
  });
  if (layer < config_.num_layers) StoreLayer(layer, scope);
}

// x = the token's embedding: int8 values times their group's scale, times the
// scale of all.
void ForwardPass::Embed(uint32_t row) {
  const LinearWeights& table = model_.embedding();
  const uint32_t token = row_token_[row];
  float* x = x_.data() + size_t{row} * config_.dim;
  for (uint32_t c = 0; c < config_.dim; ++c) {
    const float value =
        static_cast<float>(table.values[table.value_idx(token, c)]) *
        table.scales[table.scale_idx(token, c / kGroupSize)];
    x[c] = value * config_.embedding_scale;
  }
}

// Queries, keys and values; the latter two go into the caches.
void ForwardPass::StoreLayer(uint32_t layer, const Scope& scope) {
  const LayerWeights& w = model_.layer(layer);
  const size_t stride = PaddedStride(config_.qkv_dim());
  if (scope.thread_idx != kAllThreads) {
    for (uint32_t i = 0; i < scope.num_query_blocks; ++i) {
      const QueryBlock& block = query_blocks_[scope.first_query_block + i];
      for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
        block.cache->Prefetch(layer, head, block.first_position,
                              block.num_positions);
      }
    }
  }
  Multiply(scope, w.qkv, normed_, config_.dim,
           qkv_.data() + scope.first_row * stride, stride);
  ReportRows(layer, "qkv", scope, qkv_.data() + scope.first_row * stride,
             stride, config_.qkv_dim());
  if (attention_stores_) return;
  ForRows(scope, [&](uint32_t row, int) {
    for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
      StoreHead(layer, row, head);
    }
  });
}

// delta = W_o . Attention
void ForwardPass::AttentionLayer(uint32_t layer, const Scope& scope) {
  Enter(scope.thread_idx, Stage::kAttention);
  const size_t num_tasks =
      size_t{scope.num_query_blocks} * config_.num_kv_heads;
  if (scope.thread_idx == kAllThreads) {
    // Few queries, for which fetching ahead comes too soon.
    pool_.ParallelFor(num_tasks, [&](size_t i, int thread_idx) {
      AttendHead(layer, scope, i, i, thread_idx);
    });
  } else {
    for (size_t i = 0; i < num_tasks; ++i) {
      AttendHead(layer, scope, i, std::min(i + 1, num_tasks - 1),
                 scope.thread_idx);
    }
  }
  Enter(scope.thread_idx, Stage::kElementwise);
  if (!QuantizesByHead()) {
    ForRows(scope, [&](uint32_t row, int) {
      QuantizeHeads(scope.RowInBuffer(row), 0, config_.q_dim());
    });
  }
  ReportRows(layer, "o", scope,
             heads_.data() + size_t{scope.buffer_row} * config_.q_dim(),
             config_.q_dim(), config_.q_dim());
  float* delta = delta_.data() + size_t{scope.buffer_row} * config_.dim;
  Multiply(scope, model_.layer(layer).attn_out, mixed_, config_.q_dim(), delta,
           config_.dim);
  ReportRows(layer, "attention", scope, delta, config_.dim, config_.dim);
}

void ForwardPass::AttendHead(uint32_t layer, const Scope& scope, size_t task,
                             size_t next_task, int thread_idx) {
  // Consecutive tasks share a head, whose keys and values may be the same; the
  // widest windows come first, so that threads end together.
  const auto block_at = [&](size_t i) -> const QueryBlock& {
    return query_blocks_[scope.first_query_block + i % scope.num_query_blocks];
  };
  const auto head_at = [&](size_t i) {
    return block_at(i).cache->HeadByWindow(
        layer, static_cast<uint32_t>(i / scope.num_query_blocks));
  };
  const QueryBlock& block = block_at(task);
  const uint32_t kv_head = head_at(task);
  if (attention_stores_) {
    for (uint32_t i = 0; i < block.num_positions; ++i) {
      StoreHead(layer, block.first_row + i, kv_head);
    }
  }
  AttentionTask next;
  if (next_task != task) {
    next = TaskOf(layer, block_at(next_task), head_at(next_task), scope);
  }
  Attend(kernels_, config_, TaskOf(layer, block, kv_head, scope),
         next_task == task ? nullptr : &next, attention_scratch_[thread_idx]);
  if (!QuantizesByHead()) return;
  const uint32_t cols = config_.q_dim() / config_.num_kv_heads;
  for (uint32_t i = 0; i < block.num_positions; ++i) {
    QuantizeHeads(scope.RowInBuffer(block.first_row + i), kv_head * cols, cols);
  }
}

bool ForwardPass::QuantizesByHead() const {
  return config_.q_dim() / config_.num_kv_heads % kGroupSize == 0;
}

void ForwardPass::QuantizeHeads(uint32_t row, uint32_t col, uint32_t num_cols) {
  QuantizeInto(heads_.data() + size_t{row} * config_.q_dim() + col, num_cols,
               config_.q_dim(), row, col, mixed_);
}

AttentionTask ForwardPass::TaskOf(uint32_t layer, const QueryBlock& block,
                                  uint32_t kv_head, const Scope& scope) {
  const Ropes& ropes = ropes_of(layer);
  const float* sink =
      ropes.sinks.at(block.cache->window_positions(layer, kv_head)).data();
  const size_t q_dim = config_.q_dim();
  const size_t qkv_stride = PaddedStride(config_.qkv_dim());
  return {.cache = block.cache,
          .layer = layer,
          .kv_head = kv_head,
          .first_position = block.first_position,
          .num_positions = block.num_positions,
          .tree = tree_.empty() ? nullptr : &tree_[block.first_row],
          .q = qkv_.data() + block.first_row * qkv_stride,
          .q_stride = qkv_stride,
          .ropes = &ropes.rows[block.first_row],
          .sink_rope = {sink, sink + config_.head_dim / 2},
          .out = heads_.data() + scope.RowInBuffer(block.first_row) * q_dim,
          .out_stride = q_dim};
}

void ForwardPass::FinishHead(const LayerWeights& w, uint32_t head,
                             std::span<const float> norm, float* qkv) {
  const uint32_t head_dim = config_.head_dim;
  float* values = qkv + size_t{head} * head_dim;
  if (!w.qkv_bias.empty()) {
    const float* bias = w.qkv_bias.data() + size_t{head} * head_dim;
    for (uint32_t i = 0; i < head_dim; ++i) values[i] += bias[i];
  }
  if (!norm.empty()) {
    kernels_.rms_norm(values, norm.data(), head_dim, config_.norm_eps, values);
  }
}

// Finishes the queries of a KV head, its key and its value; rotates and
// quantises the key, quantises the value.
void ForwardPass::StoreHead(uint32_t layer, uint32_t row, uint32_t kv_head) {
  const LayerWeights& w = model_.layer(layer);
  const uint32_t head_dim = config_.head_dim;
  const uint32_t group = config_.num_heads / config_.num_kv_heads;
  float* qkv = qkv_.data() + row * size_t{PaddedStride(config_.qkv_dim())};
  for (uint32_t i = 0; i < group; ++i) {
    FinishHead(w, kv_head * group + i, w.q_norm, qkv);
  }
  const uint32_t key_head = config_.num_heads + kv_head;
  const uint32_t value_head = key_head + config_.num_kv_heads;
  FinishHead(w, key_head, w.k_norm, qkv);
  FinishHead(w, value_head, {}, qkv);

  alignas(64) float rotated[256];
  alignas(64) int8_t key[256], low_key[256], value[256];
  KvCache::Entry entry{key, low_key, value, 0, 0};
  int32_t sum;
  RotateHead(qkv + size_t{key_head} * head_dim, ropes_of(layer).rows[row],
             head_dim, rotated);
  if (config_.key_width == KeyWidth::k15Bits) {
    reference::QuantizeWideKey(rotated, head_dim, key, low_key,
                               &entry.key_scale);
  } else {
    kernels_.quantize_row(rotated, head_dim, head_dim, key, &entry.key_scale,
                          &sum);
  }
  kernels_.quantize_row(qkv + size_t{value_head} * head_dim, head_dim, head_dim,
                        value, &entry.value_scale, &sum);
  row_cache_[row]->Store(layer, kv_head, row_place_[row], entry);
}

// delta = W_down . Gate(W_gate . RmsNorm(x), W_up . RmsNorm(x))
void ForwardPass::FeedForwardLayer(uint32_t layer, const Scope& scope) {
  const LayerWeights& w = model_.layer(layer);
  ForRows(scope, [&](uint32_t row, int thread_idx) {
    const uint32_t at = scope.RowInBuffer(row);
    AddDelta(row, at, w.post_attn_norm, thread_idx);
    NormInto(layer, "ffn_norm", row, w.ffn_norm, thread_idx, at);
  });
  const uint32_t num_groups = config_.ffn_dim / kGroupSize;
  if (scope.thread_idx == kAllThreads) {
    ForShares(num_groups, [&](uint32_t begin, uint32_t end, int thread_idx) {
      GateGroups(layer, scope, begin, end, thread_idx);
    });
  } else {
    GateGroups(layer, scope, 0, num_groups, scope.thread_idx);
  }
  float* delta = delta_.data() + size_t{scope.buffer_row} * config_.dim;
  Multiply(scope, w.ffn_down, gated_, config_.ffn_dim, delta, config_.dim);
  ReportRows(layer, "feed_forward", scope, delta, config_.dim, config_.dim);
}

void ForwardPass::GateGroups(uint32_t layer, const Scope& scope,
                             uint32_t group_begin, uint32_t group_end,
                             int thread_idx) {
  const LinearWeights& weights = model_.layer(layer).gate_up;
  constexpr uint32_t kPanels = kGroupSize / kPanelRows;
  const uint32_t ffn_panels = config_.ffn_dim / kPanelRows;
  const size_t stride = PaddedStride(2 * config_.ffn_dim);
  const QuantizedRows x =
      normed_.View(scope.buffer_row, scope.num_rows, config_.dim);
  float* gate_up = gate_up_.data() + scope.buffer_row * stride;
  Enter(thread_idx, Stage::kMatmul);
  for (const uint32_t first_panel : {uint32_t{0}, ffn_panels}) {
    kernels_.matmul(weights, first_panel + group_begin * kPanels,
                    first_panel + group_end * kPanels, x, gate_up, stride);
  }
  Enter(thread_idx, Stage::kElementwise);
  const auto apply_gate = config_.activation == Activation::kGeluTanh
                              ? kernels_.geglu
                              : kernels_.swiglu;
  const uint32_t col = group_begin * kGroupSize;
  const uint32_t num_cols = (group_end - group_begin) * kGroupSize;
  float* gated = row_scratch_[thread_idx].data();
  for (uint32_t i = 0; i < scope.num_rows; ++i) {
    const float* gate = gate_up + i * stride + col;
    const float* up = gate + config_.ffn_dim;
    apply_gate(gate, up, num_cols, gated);
    const uint32_t row = scope.first_row + i;
    Report(layer, "gate_up", row, col, gate, num_cols);
    Report(layer, "gate_up", row, config_.ffn_dim + col, up, num_cols);
    Report(layer, "gated", row, col, gated, num_cols);
    QuantizeInto(gated, num_cols, config_.ffn_dim, scope.buffer_row + i, col,
                 gated_);
  }
}

void ForwardPass::ComputeLogits(uint32_t row_begin, uint32_t num_rows,
                                float* logits, int thread_idx) {
  const Scope scope = {.first_row = row_begin,
                       .num_rows = num_rows,
                       .first_query_block = 0,
                       .num_query_blocks = 0,
                       .buffer_row = row_begin,
                       .thread_idx = thread_idx};
  Enter(scope.thread_idx, Stage::kHead);
  ForRows(scope, [&](uint32_t row, int thread) {
    NormInto(config_.num_layers, "output_norm", row, model_.output_norm(),
             thread, row);
  });
  const uint32_t num_panels = HeadPanels();
  const QuantizedRows rows = normed_.View(row_begin, num_rows, config_.dim);
  if (thread_idx >= 0) {
    kernels_.matmul(model_.head(), 0, num_panels, rows, logits,
                    logits_stride());
  } else {
    CountLogits(num_rows);
    MultiplyTogether(model_.head(), num_panels, rows, logits, logits_stride());
  }
  if (config_.logit_cap != 0) {
    ForRows(scope, [&](uint32_t row, int) {
      reference::SoftCap(config_.logit_cap, config_.num_tokens,
                         logits + (row - row_begin) * logits_stride());
    });
  }
  ReportRows(config_.num_layers, "logits", scope, logits, logits_stride(),
             config_.num_tokens);
  Enter(scope.thread_idx, Stage::kTokenWeights);
}

void ForwardPass::CountLogits(uint32_t num_rows) {
  if (clock_ == nullptr) return;
  clock_->AddMultiplyAdds(uint64_t{num_rows} * config_.dim * HeadPanels() *
                          kPanelRows);
}

uint32_t ForwardPass::HeadPanels() const {
  return PaddedRows(config_.num_tokens) / kPanelRows;
}

size_t ForwardPass::LogitsStride(const ModelConfig& config) {
  return PaddedStride(config.num_tokens);
}

void ForwardPass::AddDelta(uint32_t row, uint32_t delta_row,
                           std::span<const float> post_norm, int thread_idx) {
  const uint32_t dim = config_.dim;
  float* x = x_.data() + size_t{row} * dim;
  const float* delta = delta_.data() + size_t{delta_row} * dim;
  if (!post_norm.empty()) {
    float* scratch = row_scratch_[thread_idx].data();
    kernels_.rms_norm(delta, post_norm.data(), dim, config_.norm_eps, scratch);
    delta = scratch;
  }
  for (uint32_t i = 0; i < dim; ++i) x[i] += delta[i];
}

void ForwardPass::NormInto(uint32_t layer, const char* name, uint32_t row,
                           std::span<const float> norm_weight, int thread_idx,
                           uint32_t normed_row) {
  const uint32_t dim = config_.dim;
  float* scratch = row_scratch_[thread_idx].data();
  kernels_.rms_norm(x_.data() + size_t{row} * dim, norm_weight.data(), dim,
                    config_.norm_eps, scratch);
  Report(layer, name, row, 0, scratch, dim);
  QuantizeInto(scratch, dim, dim, normed_row, 0, normed_);
}

void ForwardPass::QuantizeInto(const float* values, uint32_t num_cols,
                               uint32_t row_cols, uint32_t row, uint32_t col,
                               Quantized& out) {
  const size_t at = size_t{row} * row_cols + col;
  kernels_.quantize_row(values, num_cols, kGroupSize, out.values.data() + at,
                        out.scales.data() + at / kGroupSize,
                        out.starts.data() + at / kGroupSize);
}

void ForwardPass::Multiply(const Scope& scope, const LinearWeights& w,
                           const Quantized& x, uint32_t cols, float* y,
                           size_t y_stride) {
  Enter(scope.thread_idx, Stage::kMatmul);
  const QuantizedRows rows = x.View(scope.buffer_row, scope.num_rows, cols);
  if (scope.thread_idx == kAllThreads) {
    MultiplyTogether(w, w.num_panels(), rows, y, y_stride);
  } else {
    kernels_.matmul(w, 0, w.num_panels(), rows, y, y_stride);
  }
  Enter(scope.thread_idx, Stage::kElementwise);
}

void ForwardPass::MultiplyTogether(const LinearWeights& w, uint32_t num_panels,
                                   const QuantizedRows& x, float* y,
                                   size_t y_stride) {
  // Pairs of panels share loads of x.
  ForShares((num_panels + 1) / 2, [&](uint32_t begin, uint32_t end, int) {
    kernels_.matmul(w, 2 * begin, std::min(num_panels, 2 * end), x, y,
                    y_stride);
  });
}

template <class Work>
void ForwardPass::ForShares(uint32_t count, const Work& work) {
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

template <class Work>
void ForwardPass::ForRows(const Scope& scope, const Work& work) {
  if (scope.thread_idx >= 0) {
    for (uint32_t i = 0; i < scope.num_rows; ++i) {
      work(scope.first_row + i, scope.thread_idx);
    }
    return;
  }
  const auto threads = static_cast<uint32_t>(pool_.num_threads());
  const uint32_t rounds =
      (scope.num_rows + threads * kRowsPerTask - 1) / (threads * kRowsPerTask);
  const uint32_t tasks = std::min(scope.num_rows, rounds * threads);
  pool_.ParallelFor(tasks, [&](size_t i, int thread_idx) {
    const auto task = static_cast<uint32_t>(i);
    const uint32_t end = scope.num_rows * (task + 1) / tasks;
    for (uint32_t row = scope.num_rows * task / tasks; row < end; ++row) {
      work(scope.first_row + row, thread_idx);
    }
  });
}

}  // namespace llma
