// SPDX-License-Identifier: Apache-2.0
#include "model/forward.h"

#include <algorithm>

#include "base/status.h"

namespace llma {
namespace {

// Rows that one task of an elementwise step takes.
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
      x_(size_t{max_rows} * config_.dim),
      delta_(size_t{max_rows} * config_.dim),
      qkv_(size_t{max_rows} * PaddedStride(config_.qkv_dim())),
      heads_(size_t{max_rows} * config_.q_dim()),
      gate_up_(size_t{max_rows} * PaddedStride(2 * config_.ffn_dim)),
      normed_(max_rows, config_.dim),
      mixed_(max_rows, config_.q_dim()),
      gated_(max_rows, config_.ffn_dim) {
  ropes_[0].steps = model.rope_steps();
  ropes_[1].steps = model.local_rope_steps();
  for (Ropes& ropes : ropes_) {
    if (ropes.steps.empty()) continue;
    ropes.values = AlignedBuffer<float>(size_t{max_rows} * config_.head_dim);
    ropes.rows.resize(max_rows);
  }
  for (int i = 0; i < pool.num_threads(); ++i) {
    attention_scratch_.emplace_back(config_, max_window_positions);
    row_scratch_.emplace_back(std::max(config_.dim, config_.ffn_dim));
  }
}

void ForwardPass::Run(std::span<const StreamBatch> batch) {
  EnterStage(clock_, Stage::kElementwise);
  PlanRows(batch);
  if (clock_ != nullptr) CountAttention();
  Embed(batch);
  for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
    AttentionLayer(layer);
    FeedForwardLayer(layer);
  }
  // The last sublayer's addition; every other one happens before a norm.
  const auto post_norm = model_.layer(config_.num_layers - 1).post_ffn_norm;
  ForRows(num_rows_, [&](uint32_t first, uint32_t count, int thread_idx) {
    for (uint32_t row = first; row < first + count; ++row) {
      AddDelta(row, post_norm, row_scratch_[thread_idx].data());
    }
  });
  for (const StreamBatch& stream : batch) {
    stream.cache->Advance(static_cast<uint32_t>(stream.tokens.size()));
  }
}

// Numbers the rows, finds their rotations and cuts them into attention tasks.
void ForwardPass::PlanRows(std::span<const StreamBatch> batch) {
  query_blocks_.clear();
  num_rows_ = 0;
  for (uint32_t stream = 0; stream < batch.size(); ++stream) {
    KvCache* cache = batch[stream].cache;
    const auto count = static_cast<uint32_t>(batch[stream].tokens.size());
    for (uint32_t i = 0; i < count; ++i) {
      row_cache_[num_rows_ + i] = cache;
      row_position_[num_rows_ + i] = cache->num_positions() + i;
    }
    for (uint32_t i = 0; i < count; i += kMaxQueryPositions) {
      query_blocks_.push_back({cache, cache->num_positions() + i, num_rows_ + i,
                               std::min(kMaxQueryPositions, count - i),
                               stream});
    }
    num_rows_ += count;
  }
  LLMA_DCHECK(num_rows_ <= row_cache_.size());
  // All layers of a kind have the same window.
  for (const bool is_local : {false, true}) {
    uint32_t layer = 0;
    while (layer < config_.num_layers && config_.is_local(layer) != is_local) {
      ++layer;
    }
    if (layer < config_.num_layers) PlanRopes(batch, layer, ropes_[is_local]);
  }
}

void ForwardPass::PlanRopes(std::span<const StreamBatch> batch, uint32_t layer,
                            Ropes& ropes) {
  const uint32_t head_dim = config_.head_dim, half = head_dim / 2;
  ropes.sink_values.resize(batch.size() * head_dim);
  ropes.sinks.resize(batch.size());
  for (size_t stream = 0; stream < batch.size(); ++stream) {
    float* cos = &ropes.sink_values[stream * head_dim];
    const uint32_t window = batch[stream].cache->window_positions(layer);
    ComputeRopeRow(ropes.steps, uint64_t{kNumSinks} + window - 1, cos,
                   cos + half);
    ropes.sinks[stream] = {cos, cos + half};
  }
  for (uint32_t row = 0; row < num_rows_; ++row) {
    float* cos = ropes.values.data() + size_t{row} * head_dim;
    ComputeRopeRow(ropes.steps, row_position_[row], cos, cos + half);
    ropes.rows[row] = {cos, cos + half};
  }
}

// Scores once, or twice with wide keys; values twice: the weights' two halves.
void ForwardPass::CountAttention() {
  uint64_t visible_positions = 0;  // summed over layers
  for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
    for (uint32_t row = 0; row < num_rows_; ++row) {
      visible_positions += std::min<uint64_t>(
          row_position_[row] + 1,
          uint64_t{kNumSinks} + row_cache_[row]->window_positions(layer));
    }
  }
  const uint32_t products = config_.key_width == KeyWidth::k15Bits ? 4 : 3;
  clock_->AddPositions(num_rows_);
  clock_->AddMultiplyAdds(products * visible_positions * config_.q_dim());
}

// x = the embedding of each token: int8 values times their group's scale, times
// the scale of all.
void ForwardPass::Embed(std::span<const StreamBatch> batch) {
  const LinearWeights& table = model_.embedding();
  float* x = x_.data();
  for (const StreamBatch& stream : batch) {
    for (const uint32_t token : stream.tokens) {
      for (uint32_t c = 0; c < config_.dim; ++c) {
        const float value =
            static_cast<float>(table.values[table.value_idx(token, c)]) *
            table.scales[table.scale_idx(token, c / kGroupSize)];
        *x++ = value * config_.embedding_scale;
      }
    }
  }
}

// delta = W_o . Attention(RmsNorm(x))
void ForwardPass::AttentionLayer(uint32_t layer) {
  const LayerWeights& w = model_.layer(layer);
  ForRows(num_rows_, [&](uint32_t first, uint32_t count, int thread_idx) {
    float* scratch = row_scratch_[thread_idx].data();
    for (uint32_t row = first; row < first + count; ++row) {
      if (layer > 0) {
        AddDelta(row, model_.layer(layer - 1).post_ffn_norm, scratch);
      }
      NormInto(row, w.attn_norm, scratch, normed_);
    }
  });
  const size_t qkv_stride = PaddedStride(config_.qkv_dim());
  EnterStage(clock_, Stage::kMatmul);
  Multiply(w.qkv, w.qkv.num_panels(), normed_.View(num_rows_, config_.dim),
           qkv_.data(), qkv_stride);
  EnterStage(clock_, Stage::kElementwise);
  ForRows(num_rows_, [&](uint32_t first, uint32_t count, int) {
    for (uint32_t row = first; row < first + count; ++row) {
      FinishQkv(layer, row);
      StoreKeysAndValues(layer, row);
    }
  });
  const Ropes& ropes = ropes_of(layer);
  const size_t q_dim = config_.q_dim();
  EnterStage(clock_, Stage::kAttention);
  pool_.ParallelFor(
      query_blocks_.size() * config_.num_kv_heads,
      [&](size_t i, int thread_idx) {
        const QueryBlock& block = query_blocks_[i / config_.num_kv_heads];
        const AttentionTask task = {
            .cache = block.cache,
            .layer = layer,
            .kv_head = static_cast<uint32_t>(i % config_.num_kv_heads),
            .first_position = block.first_position,
            .num_positions = block.num_positions,
            .q = qkv_.data() + block.first_row * qkv_stride,
            .q_stride = qkv_stride,
            .ropes = &ropes.rows[block.first_row],
            .sink_rope = ropes.sinks[block.stream],
            .out = heads_.data() + block.first_row * q_dim,
            .out_stride = q_dim};
        Attend(kernels_, config_, task, attention_scratch_[thread_idx]);
      });
  EnterStage(clock_, Stage::kElementwise);
  ForRows(num_rows_, [&](uint32_t first, uint32_t count, int) {
    for (uint32_t row = first; row < first + count; ++row) {
      QuantizeInto(heads_.data() + row * q_dim, config_.q_dim(), row, mixed_);
    }
  });
  EnterStage(clock_, Stage::kMatmul);
  Multiply(w.attn_out, w.attn_out.num_panels(),
           mixed_.View(num_rows_, config_.q_dim()), delta_.data(), config_.dim);
  EnterStage(clock_, Stage::kElementwise);
}

void ForwardPass::FinishQkv(uint32_t layer, uint32_t row) {
  const LayerWeights& w = model_.layer(layer);
  float* qkv = qkv_.data() + row * size_t{PaddedStride(config_.qkv_dim())};
  for (size_t i = 0; i < w.qkv_bias.size(); ++i) qkv[i] += w.qkv_bias[i];
  if (!config_.has_qk_norm) return;
  const uint32_t num_heads = config_.num_heads + config_.num_kv_heads;
  for (uint32_t i = 0; i < num_heads; ++i) {
    const auto& norm = i < config_.num_heads ? w.q_norm : w.k_norm;
    float* head = qkv + size_t{i} * config_.head_dim;
    kernels_.rms_norm(head, norm.data(), config_.head_dim, config_.norm_eps,
                      head);
  }
}

// Rotates and quantises the new keys, quantises the values.
void ForwardPass::StoreKeysAndValues(uint32_t layer, uint32_t row) {
  const uint32_t head_dim = config_.head_dim;
  alignas(64) float rotated[256];
  alignas(64) int8_t key[256], low_key[256], value[256];
  const float* k = qkv_.data() + row * size_t{PaddedStride(config_.qkv_dim())} +
                   config_.q_dim();
  for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
    const float* v = k + config_.kv_dim();
    KvCache::Entry entry{key, low_key, value, 0, 0};
    int32_t sum;
    RotateHead(k, ropes_of(layer).rows[row], head_dim, rotated);
    if (config_.key_width == KeyWidth::k15Bits) {
      reference::QuantizeWideKey(rotated, head_dim, key, low_key,
                                 &entry.key_scale);
    } else {
      kernels_.quantize_row(rotated, head_dim, head_dim, key, &entry.key_scale,
                            &sum);
    }
    kernels_.quantize_row(v, head_dim, head_dim, value, &entry.value_scale,
                          &sum);
    row_cache_[row]->Store(layer, head, row_position_[row], entry);
    k += head_dim;
  }
}

// delta = W_down . Gate(W_gate . RmsNorm(x), W_up . RmsNorm(x))
void ForwardPass::FeedForwardLayer(uint32_t layer) {
  const LayerWeights& w = model_.layer(layer);
  ForRows(num_rows_, [&](uint32_t first, uint32_t count, int thread_idx) {
    float* scratch = row_scratch_[thread_idx].data();
    for (uint32_t row = first; row < first + count; ++row) {
      AddDelta(row, w.post_attn_norm, scratch);
      NormInto(row, w.ffn_norm, scratch, normed_);
    }
  });
  const size_t stride = PaddedStride(2 * config_.ffn_dim);
  EnterStage(clock_, Stage::kMatmul);
  Multiply(w.gate_up, w.gate_up.num_panels(),
           normed_.View(num_rows_, config_.dim), gate_up_.data(), stride);
  EnterStage(clock_, Stage::kElementwise);
  const auto apply_gate = config_.activation == Activation::kGeluTanh
                              ? kernels_.geglu
                              : kernels_.swiglu;
  ForRows(num_rows_, [&](uint32_t first, uint32_t count, int thread_idx) {
    float* gated = row_scratch_[thread_idx].data();
    for (uint32_t row = first; row < first + count; ++row) {
      const float* gate = gate_up_.data() + row * stride;
      apply_gate(gate, gate + config_.ffn_dim, config_.ffn_dim, gated);
      QuantizeInto(gated, config_.ffn_dim, row, gated_);
    }
  });
  EnterStage(clock_, Stage::kMatmul);
  Multiply(w.ffn_down, w.ffn_down.num_panels(),
           gated_.View(num_rows_, config_.ffn_dim), delta_.data(), config_.dim);
  EnterStage(clock_, Stage::kElementwise);
}

void ForwardPass::ComputeLogits(uint32_t row_begin, uint32_t num_rows,
                                float* logits) {
  EnterStage(clock_, Stage::kHead);
  ForRows(num_rows, [&](uint32_t first, uint32_t count, int thread_idx) {
    for (uint32_t i = first; i < first + count; ++i) {
      NormInto(row_begin + i, model_.output_norm(),
               row_scratch_[thread_idx].data(), normed_);
    }
  });
  const QuantizedRows all = normed_.View(row_begin + num_rows, config_.dim);
  const QuantizedRows rows = {all.values + size_t{row_begin} * config_.dim,
                              all.scales + size_t{row_begin} * all.num_groups,
                              all.starts + size_t{row_begin} * all.num_groups,
                              num_rows,
                              config_.dim,
                              all.num_groups};
  Multiply(model_.head(), PaddedRows(config_.num_tokens) / kPanelRows, rows,
           logits, logits_stride());
  if (config_.logit_cap != 0) {
    ForRows(num_rows, [&](uint32_t first, uint32_t count, int) {
      for (uint32_t i = first; i < first + count; ++i) {
        reference::SoftCap(config_.logit_cap, config_.num_tokens,
                           logits + i * logits_stride());
      }
    });
  }
  EnterStage(clock_, Stage::kTokenWeights);
}

size_t ForwardPass::logits_stride() const {
  return PaddedStride(config_.num_tokens);
}

void ForwardPass::AddDelta(uint32_t row, std::span<const float> post_norm,
                           float* scratch) {
  const uint32_t dim = config_.dim;
  float* x = x_.data() + size_t{row} * dim;
  const float* delta = delta_.data() + size_t{row} * dim;
  if (!post_norm.empty()) {
    kernels_.rms_norm(delta, post_norm.data(), dim, config_.norm_eps, scratch);
    delta = scratch;
  }
  for (uint32_t i = 0; i < dim; ++i) x[i] += delta[i];
}

void ForwardPass::NormInto(uint32_t row, std::span<const float> norm_weight,
                           float* scratch, Quantized& normed) {
  const uint32_t dim = config_.dim;
  kernels_.rms_norm(x_.data() + size_t{row} * dim, norm_weight.data(), dim,
                    config_.norm_eps, scratch);
  QuantizeInto(scratch, dim, row, normed);
}

void ForwardPass::QuantizeInto(const float* values, uint32_t cols, uint32_t row,
                               Quantized& out) {
  const size_t groups = cols / kGroupSize;
  kernels_.quantize_row(
      values, cols, kGroupSize, out.values.data() + size_t{row} * cols,
      out.scales.data() + row * groups, out.starts.data() + row * groups);
}

void ForwardPass::Multiply(const LinearWeights& w, uint32_t num_panels,
                           const QuantizedRows& x, float* y, size_t y_stride) {
  if (clock_ != nullptr) {
    clock_->AddMultiplyAdds(uint64_t{x.num_rows} * x.num_cols * num_panels *
                            kPanelRows);
  }
  // Four tasks a thread even out what the machine does beside us; pairs of
  // panels share loads of x. A thread's tasks lie side by side, so that what a
  // kernel fetches ahead of their ends is its own.
  const auto threads = static_cast<uint32_t>(pool_.num_threads());
  const uint32_t tasks_each = threads == 1 ? 1 : 4;
  const uint32_t chunk = (num_panels / (threads * tasks_each) + 2) / 2 * 2;
  pool_.ParallelFor(size_t{threads} * tasks_each, [&](size_t i) {
    const auto task =
        static_cast<uint32_t>(i % threads * tasks_each + i / threads);
    const uint32_t begin = std::min(num_panels, task * chunk);
    kernels_.matmul(w, begin, std::min(num_panels, begin + chunk), x, y,
                    y_stride);
  });
}

template <class Work>
void ForwardPass::ForRows(uint32_t num_rows, const Work& work) {
  const size_t tasks = (num_rows + kRowsPerTask - 1) / kRowsPerTask;
  pool_.ParallelFor(tasks, [&](size_t i, int thread_idx) {
    const auto first = static_cast<uint32_t>(i) * kRowsPerTask;
    work(first, std::min(kRowsPerTask, num_rows - first), thread_idx);
  });
}

}  // namespace llma
