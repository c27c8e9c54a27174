// SPDX-License-Identifier: Apache-2.0
#include "model/forward_steps.h"

#include <algorithm>

namespace llma {
namespace {

uint32_t PaddedRows(uint32_t num_rows) {
  return (num_rows + kPanelRows - 1) / kPanelRows * kPanelRows;
}

// Rows of a matrix product's result lie so far apart: two cache lines more than
// needed, because at a multiple of 4 KB all would share one set of the cache.
uint32_t PaddedStride(uint32_t num_rows) { return PaddedRows(num_rows) + 32; }

}  // namespace

ForwardSteps::ForwardSteps(const Model& model, const KernelTable& kernels,
                           const BatchPlan& plan, int num_threads,
                           uint32_t max_rows, uint32_t buffer_rows,
                           uint32_t max_window_positions)
    : model_(model),
      config_(model.config()),
      kernels_(kernels),
      plan_(plan),
      x_(size_t{max_rows} * config_.dim),
      qkv_(size_t{max_rows} * PaddedStride(config_.qkv_dim())),
      delta_(size_t{buffer_rows} * config_.dim),
      heads_(size_t{buffer_rows} * config_.q_dim()),
      gate_up_(size_t{buffer_rows} * PaddedStride(2 * config_.ffn_dim)),
      normed_(buffer_rows, config_.dim),
      mixed_(buffer_rows, config_.q_dim()),
      gated_(buffer_rows, config_.ffn_dim) {
  for (int i = 0; i < num_threads; ++i) {
    attention_scratch_.emplace_back(
        config_, config_.MaxHeadWindow(max_window_positions));
    row_scratch_.emplace_back(std::max(config_.dim, config_.ffn_dim));
  }
}

uint64_t ForwardSteps::SizeBytes(const ModelConfig& config, int num_threads,
                                 uint32_t max_rows, uint32_t buffer_rows,
                                 uint32_t max_window_positions) {
  const auto threads = static_cast<uint64_t>(num_threads);
  const uint64_t floats =
      uint64_t{max_rows} *
          (config.dim + PaddedStride(config.qkv_dim()) + 2 * config.head_dim) +
      uint64_t{buffer_rows} *
          (config.dim + config.q_dim() + PaddedStride(2 * config.ffn_dim)) +
      threads * std::max(config.dim, config.ffn_dim);
  // A scale and a start for each group.
  const uint64_t quantized =
      uint64_t{buffer_rows} * (config.dim + config.q_dim() + config.ffn_dim);
  return sizeof(float) * floats + quantized + 8 * quantized / kGroupSize +
         threads * AttentionScratch::SizeBytes(
                       config, config.MaxHeadWindow(max_window_positions));
}

size_t ForwardSteps::LogitsStride(const ModelConfig& config) {
  return PaddedStride(config.num_tokens);
}

// The embedding is int8 values times their group's scale, times the scale of
// all.
void ForwardSteps::Embed(const RowRange& rows, uint32_t row, int thread_idx) {
  const LinearWeights& table = model_.embedding();
  const uint32_t token = plan_.row(row).token;
  float* x = XAt(row);
  for (uint32_t c = 0; c < config_.dim; ++c) {
    const float value =
        static_cast<float>(table.values[table.value_idx(token, c)]) *
        table.scales[table.scale_idx(token, c / kGroupSize)];
    x[c] = value * config_.embedding_scale;
  }
  ReportPart(0, "x", row, 0, x, config_.dim);
  NormInto(0, "attn_norm", row, model_.layer(0).attn_norm, rows.InBuffer(row),
           thread_idx);
}

Product ForwardSteps::Qkv(uint32_t layer, const RowRange& rows) {
  const size_t stride = PaddedStride(config_.qkv_dim());
  return {model_.layer(layer).qkv,
          normed_.View(rows.buffer_first, rows.count, config_.dim),
          qkv_.data() + rows.first * stride, stride};
}

void ForwardSteps::FinishHead(const LayerWeights& w, uint32_t head,
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

void ForwardSteps::StoreHead(uint32_t layer, uint32_t row, uint32_t kv_head) {
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

  alignas(64) float rotated[kMaxHeadDim];
  alignas(64) int8_t key[kMaxHeadDim], low_key[kMaxHeadDim], value[kMaxHeadDim];
  KvCache::Entry entry{key, low_key, value, 0, 0};
  int32_t sum;
  RotateHead(qkv + size_t{key_head} * head_dim, *plan_.ropes(layer, row),
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
  plan_.row(row).cache->Store(layer, kv_head, plan_.row(row).cache_position,
                              entry);
}

void ForwardSteps::AttendHead(uint32_t layer, const RowRange& rows,
                              std::span<const QueryBlock> blocks, size_t task,
                              size_t next_task, int thread_idx) {
  const QueryBlock& block = BlockOf(blocks, task);
  const uint32_t kv_head = HeadOf(blocks, layer, task);
  AttentionTask next;
  if (next_task != task) {
    next = TaskOf(layer, rows, BlockOf(blocks, next_task),
                  HeadOf(blocks, layer, next_task));
  }
  Attend(kernels_, config_, TaskOf(layer, rows, block, kv_head),
         next_task == task ? nullptr : &next, attention_scratch_[thread_idx]);
  if (QuantizesByRow()) return;
  const uint32_t cols = config_.q_dim() / config_.num_kv_heads;
  for (uint32_t i = 0; i < block.num_positions; ++i) {
    QuantizeHeads(rows.InBuffer(block.first_row + i), kv_head * cols, cols);
  }
}

AttentionTask ForwardSteps::TaskOf(uint32_t layer, const RowRange& rows,
                                   const QueryBlock& block, uint32_t kv_head) {
  const size_t q_dim = config_.q_dim();
  const size_t qkv_stride = PaddedStride(config_.qkv_dim());
  return {.cache = block.cache,
          .layer = layer,
          .kv_head = kv_head,
          .first_position = block.first_position,
          .num_positions = block.num_positions,
          .tree = plan_.tree(block.first_row),
          .q = qkv_.data() + block.first_row * qkv_stride,
          .q_stride = qkv_stride,
          .ropes = plan_.ropes(layer, block.first_row),
          .sink_rope = plan_.sink_rope(
              layer, block.cache->window_positions(layer, kv_head)),
          .out = heads_.data() + rows.InBuffer(block.first_row) * q_dim,
          .out_stride = q_dim};
}

void ForwardSteps::QuantizeHeads(uint32_t buffer_row, uint32_t col,
                                 uint32_t num_cols) {
  const uint32_t q_dim = config_.q_dim();
  QuantizeInto(heads_.data() + size_t{buffer_row} * q_dim + col, num_cols,
               q_dim, buffer_row, col, mixed_);
}

Product ForwardSteps::AttentionOut(uint32_t layer, const RowRange& rows) {
  return {model_.layer(layer).attn_out,
          mixed_.View(rows.buffer_first, rows.count, config_.q_dim()),
          delta_.data() + size_t{rows.buffer_first} * config_.dim, config_.dim,
          UpdateOf(layer, LearnedMatrix::kAttentionOut)};
}

void ForwardSteps::EndAttention(uint32_t layer, const RowRange& rows,
                                uint32_t row, int thread_idx) {
  const LayerWeights& w = model_.layer(layer);
  AddDelta(row, rows.InBuffer(row), w.post_attn_norm, thread_idx);
  if (records_ != nullptr) {
    std::copy_n(XAt(row), config_.dim, records_->middle(layer, PlaceOf(row)));
    records_->SetHeads(layer, PlaceOf(row),
                       mixed_.View(rows.InBuffer(row), 1, config_.q_dim()));
  }
  NormInto(layer, "ffn_norm", row,
           learned_ == nullptr ? w.ffn_norm : learned_->ffn_norm(layer),
           rows.InBuffer(row), thread_idx);
}

void ForwardSteps::MultiplyGates(uint32_t layer, const RowRange& rows,
                                 uint32_t group_begin, uint32_t group_end) {
  constexpr uint32_t kPanels = kGroupSize / kPanelRows;
  const uint32_t ffn_panels = config_.ffn_dim / kPanelRows;
  const size_t stride = PaddedStride(2 * config_.ffn_dim);
  const Product gate_up = {
      model_.layer(layer).gate_up,
      normed_.View(rows.buffer_first, rows.count, config_.dim),
      gate_up_.data() + rows.buffer_first * stride, stride,
      UpdateOf(layer, LearnedMatrix::kGateUp)};
  for (const uint32_t first_panel : {uint32_t{0}, ffn_panels}) {
    Multiply(gate_up, first_panel + group_begin * kPanels,
             first_panel + group_end * kPanels);
  }
}

void ForwardSteps::ApplyGates(uint32_t layer, const RowRange& rows,
                              uint32_t group_begin, uint32_t group_end,
                              int thread_idx) {
  const size_t stride = PaddedStride(2 * config_.ffn_dim);
  const auto apply_gate = config_.activation == Activation::kGeluTanh
                              ? kernels_.geglu
                              : kernels_.swiglu;
  const uint32_t col = group_begin * kGroupSize;
  const uint32_t num_cols = (group_end - group_begin) * kGroupSize;
  float* gated = row_scratch_[thread_idx].data();
  for (uint32_t row = rows.first; row < rows.end(); ++row) {
    const float* gate = gate_up_.data() + rows.InBuffer(row) * stride + col;
    const float* up = gate + config_.ffn_dim;
    apply_gate(gate, up, num_cols, gated);
    ReportPart(layer, "gate_up", row, col, gate, num_cols);
    ReportPart(layer, "gate_up", row, config_.ffn_dim + col, up, num_cols);
    ReportPart(layer, "gated", row, col, gated, num_cols);
    QuantizeInto(gated, num_cols, config_.ffn_dim, rows.InBuffer(row), col,
                 gated_);
  }
}

Product ForwardSteps::FeedForwardDown(uint32_t layer, const RowRange& rows) {
  return {model_.layer(layer).ffn_down,
          gated_.View(rows.buffer_first, rows.count, config_.ffn_dim),
          delta_.data() + size_t{rows.buffer_first} * config_.dim, config_.dim,
          UpdateOf(layer, LearnedMatrix::kDown)};
}

void ForwardSteps::EndLayer(uint32_t layer, const RowRange& rows, uint32_t row,
                            int thread_idx) {
  AddDelta(row, rows.InBuffer(row), model_.layer(layer).post_ffn_norm,
           thread_idx);
  ReportPart(layer + 1, "x", row, 0, XAt(row), config_.dim);
  if (layer + 1 == config_.num_layers) {
    if (records_ != nullptr) {
      std::copy_n(XAt(row), config_.dim, records_->end(PlaceOf(row)));
    }
    return;
  }
  NormInto(layer + 1, "attn_norm", row, model_.layer(layer + 1).attn_norm,
           rows.InBuffer(row), thread_idx);
}

void ForwardSteps::NormOutput(uint32_t row, int thread_idx) {
  NormInto(config_.num_layers, "output_norm", row,
           learned_ == nullptr ? model_.output_norm() : learned_->output_norm(),
           row, thread_idx);
}

Product ForwardSteps::Logits(uint32_t row_begin, uint32_t num_rows,
                             float* logits) {
  return {model_.head(), normed_.View(row_begin, num_rows, config_.dim), logits,
          LogitsStride(config_)};
}

uint32_t ForwardSteps::LogitPanels(const ModelConfig& config) {
  return PaddedRows(config.num_tokens) / kPanelRows;
}

void ForwardSteps::EndLogits(uint32_t row, float* logits) {
  if (config_.logit_cap != 0) {
    reference::SoftCap(config_.logit_cap, config_.num_tokens, logits);
  }
  ReportPart(config_.num_layers, "logits", row, 0, logits, config_.num_tokens);
}

void ForwardSteps::AddUpdate(const Product& product, uint32_t panel_begin,
                             uint32_t panel_end) const {
  const LinearWeights& w = product.w;
  const uint32_t first = panel_begin * kPanelRows;
  for (uint32_t i = 0; i < product.x.num_rows; ++i) {
    float u[kLearningRank];
    kernels_.learning->quantized_low_rank_down(
        product.update.a, w.num_cols,
        product.x.values + size_t{i} * product.x.num_cols,
        product.x.scales + size_t{i} * product.x.num_groups, u);
    kernels_.learning->add_low_rank(product.update.b + first, w.num_rows, u,
                                    (panel_end - panel_begin) * kPanelRows,
                                    product.y + i * product.y_stride + first);
  }
}

void ForwardSteps::AddDelta(uint32_t row, uint32_t buffer_row,
                            std::span<const float> post_norm, int thread_idx) {
  const uint32_t dim = config_.dim;
  float* x = XAt(row);
  const float* delta = delta_.data() + size_t{buffer_row} * dim;
  if (!post_norm.empty()) {
    float* scratch = row_scratch_[thread_idx].data();
    kernels_.rms_norm(delta, post_norm.data(), dim, config_.norm_eps, scratch);
    delta = scratch;
  }
  for (uint32_t i = 0; i < dim; ++i) x[i] += delta[i];
}

void ForwardSteps::NormInto(uint32_t layer, const char* name, uint32_t row,
                            std::span<const float> weight, uint32_t buffer_row,
                            int thread_idx) {
  const uint32_t dim = config_.dim;
  float* scratch = row_scratch_[thread_idx].data();
  kernels_.rms_norm(XAt(row), weight.data(), dim, config_.norm_eps, scratch);
  ReportPart(layer, name, row, 0, scratch, dim);
  QuantizeInto(scratch, dim, dim, buffer_row, 0, normed_);
}

void ForwardSteps::QuantizeInto(const float* values, uint32_t num_cols,
                                uint32_t row_cols, uint32_t row, uint32_t col,
                                Quantized& out) {
  const size_t at = size_t{row} * row_cols + col;
  kernels_.quantize_row(values, num_cols, kGroupSize, out.values.data() + at,
                        out.scales.data() + at / kGroupSize,
                        out.starts.data() + at / kGroupSize);
}

void ForwardSteps::ReportAttention(uint32_t layer, const RowRange& rows) const {
  ReportRows(layer, "o", rows,
             heads_.data() + size_t{rows.buffer_first} * config_.q_dim(),
             config_.q_dim(), config_.q_dim());
}

void ForwardSteps::ReportRows(uint32_t layer, const char* name,
                              const RowRange& rows, const float* values,
                              size_t stride, uint32_t num_cols) const {
  if (!trace_) return;
  for (uint32_t i = 0; i < rows.count; ++i) {
    ReportPart(layer, name, rows.first + i, 0, values + i * stride, num_cols);
  }
}

}  // namespace llma
