// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/device_pass.h"

#include <algorithm>
#include <cmath>

#include "engine/opencl/device_products.h"
#include "model/kv_cache.h"
#include "numerics/exact_math.h"

namespace llma::opencl {
namespace {

// Rows whose logits are on the device at a time.
constexpr uint32_t kLogitRows = 256;
// Of scores of attention at a time, and at most this part of all memory.
constexpr uint64_t kScoreBytes = uint64_t{256} << 20;
constexpr uint64_t kScorePart = 64;

// Flags of the kernels norm and heads.
constexpr uint32_t kHasDelta = 1, kNormsDelta = 2;
constexpr uint32_t kHasBias = 1, kHasNorms = 2, kHasWideKeys = 4;

// Places of one query's scores: sinks, window, tree, and up to a multiple of 4
// on both sides.
uint32_t ScoreStride(const ModelConfig& config, uint32_t window_positions) {
  const uint32_t window =
      std::max(config.MaxHeadWindow(window_positions), config.local_positions);
  return static_cast<uint32_t>(RoundedUp(
      window + kNumSinks + std::max(kMaxTreeTokens, kManyQueries) + 8, 16));
}

}  // namespace

DevicePass::DevicePass(const Device& device, const Model& model,
                       const DeviceWeights& weights, uint32_t max_rows,
                       uint32_t window_positions, Queue& queue)
    : device_(device),
      config_(model.config()),
      weights_(weights),
      queue_(queue),
      max_rows_(max_rows),
      logits_stride_(
          static_cast<uint32_t>(RoundedUp(config_.num_tokens, kTokenBlock))),
      score_stride_(ScoreStride(config_, window_positions)) {}

Result<std::unique_ptr<DevicePass>> DevicePass::Create(
    const Device& device, const Model& model, const DeviceWeights& weights,
    uint32_t max_rows, uint32_t window_positions, Queue& queue) {
  std::unique_ptr<DevicePass> pass(new DevicePass(
      device, model, weights, max_rows, window_positions, queue));
  LLMA_TRY(pass->Allocate());
  return pass;
}

uint32_t DevicePass::logit_rows() const {
  return std::min(kLogitRows, max_rows_);
}

Status DevicePass::Allocate() {
  const auto allocate = [&](Buffer& buffer, uint64_t per_row,
                            uint64_t rows) -> Status {
    LLMA_ASSIGN(buffer, device_.Allocate(per_row * rows));
    return OkStatus();
  };
  const uint64_t rows = max_rows_;
  const uint64_t float_bytes = sizeof(float);
  const uint64_t head_dim = config_.head_dim, num_heads = config_.num_heads;
  LLMA_TRY(allocate(none_, 1, 64));
  LLMA_TRY(allocate(rows_, sizeof(RowInfo), rows));
  LLMA_TRY(allocate(spans_, sizeof(Span), rows));
  LLMA_TRY(allocate(ropes_, head_dim * float_bytes, rows));
  LLMA_TRY(allocate(local_ropes_, head_dim * float_bytes,
                    config_.has_local_layers() ? rows : 1));
  LLMA_TRY(allocate(x_, config_.dim * float_bytes, rows));
  LLMA_TRY(allocate(normed_, config_.dim, rows));
  LLMA_TRY(
      allocate(normed_scales_, config_.dim / kGroupSize * float_bytes, rows));
  LLMA_TRY(allocate(qkv_, config_.qkv_dim() * float_bytes, rows));
  for (Buffer* q : {&q_, &sink_q_}) {
    LLMA_TRY(allocate(*q, config_.q_dim(), rows));
  }
  for (Buffer* scales : {&q_scales_, &sink_q_scales_}) {
    LLMA_TRY(allocate(*scales, num_heads * float_bytes, rows));
  }
  const uint64_t query_bytes = score_stride_ * float_bytes;
  const uint64_t queries =
      std::min(rows * num_heads * kFewQueries,
               std::min(kScoreBytes, device_.info().memory_bytes / kScorePart) /
                   query_bytes);
  LLMA_TRY(
      allocate(scores_, query_bytes,
               std::max(queries, uint64_t{config_.num_heads} * kManyQueries)));
  LLMA_TRY(allocate(heads_, config_.q_dim() * float_bytes, rows));
  LLMA_TRY(allocate(mixed_, config_.q_dim(), rows));
  LLMA_TRY(allocate(mixed_scales_, config_.q_dim() / kGroupSize * float_bytes,
                    rows));
  LLMA_TRY(allocate(delta_, config_.dim * float_bytes, rows));
  LLMA_TRY(allocate(gate_up_, 2 * config_.ffn_dim * float_bytes, rows));
  LLMA_TRY(allocate(gated_, config_.ffn_dim, rows));
  LLMA_TRY(allocate(gated_scales_, config_.ffn_dim / kGroupSize * float_bytes,
                    rows));
  LLMA_TRY(allocate(logits_, logits_stride_ * float_bytes, logit_rows()));
  LLMA_TRY(allocate(largest_, float_bytes, logit_rows()));
  LLMA_TRY(
      allocate(block_sums_, num_blocks() * sizeof(uint64_t), logit_rows()));
  return OkStatus();
}

void DevicePass::Norm(uint32_t num_rows, const Buffer* delta,
                      const Buffer* delta_weight, const Buffer& weight) {
  const uint32_t flags = (delta != nullptr ? kHasDelta : 0) |
                         (delta_weight != nullptr ? kNormsDelta : 0);
  queue_.Run(Kernel::kNorm, {kGroupItems * num_rows, 1}, {kGroupItems, 1}, x_,
             delta != nullptr ? *delta : none_,
             delta_weight != nullptr ? *delta_weight : none_, weight,
             config_.dim, config_.norm_eps, flags, normed_, normed_scales_);
}

void DevicePass::Multiply(const DeviceWeights::Matrix& w, uint32_t num_w_rows,
                          const Buffer& x, const Buffer& x_scales,
                          uint32_t x_row, uint32_t num_rows, const Buffer& y,
                          uint32_t y_stride) {
  StartProduct(queue_,
               ChooseProductKernel(device_.info(), num_w_rows, num_rows),
               {w, num_w_rows, x, x_scales, x_row, num_rows, y, y_stride});
}

void DevicePass::SetSpans(std::span<const RowInfo> rows) {
  const uint32_t kv_queries = config_.num_heads / config_.num_kv_heads;
  const uint32_t most_rows = std::max(1u, kManyQueries / kv_queries);
  span_infos_.clear();
  for (uint32_t i = 0; i < rows.size(); ++i) {
    if (i > 0 && rows[i].first_slot == rows[i - 1].first_slot &&
        span_infos_.back().count < most_rows) {
      ++span_infos_.back().count;
    } else {
      span_infos_.push_back({i, 1});
    }
  }
  const bool are_few =
      kv_queries <= kFewQueries && span_infos_.size() == rows.size();
  span_queries_ = are_few ? kFewQueries : kManyQueries;
  queue_.Write(spans_, 0, span_infos_.data(),
               span_infos_.size() * sizeof(Span));
}

void DevicePass::Attend(const KeyValues& cache, uint32_t layer,
                        uint32_t num_rows) {
  const DeviceWeights::Layer& w = weights_.layers[layer];
  const uint32_t layer_head = layer * config_.num_kv_heads;
  const bool is_wide = config_.key_width == KeyWidth::k15Bits;
  const uint32_t flags = (config_.has_qkv_bias ? kHasBias : 0) |
                         (config_.has_qk_norm ? kHasNorms : 0) |
                         (is_wide ? kHasWideKeys : 0);
  const float divisor = config_.score_divisor != 0
                            ? config_.score_divisor
                            : std::sqrt(static_cast<float>(config_.head_dim));
  const float factor = kLog2E / divisor;
  const size_t all_heads =
      size_t{config_.num_heads} + 2 * size_t{config_.num_kv_heads};
  queue_.Run(Kernel::kHeads, {kGroupItems * all_heads, num_rows},
             {kGroupItems, 1}, qkv_, config_.qkv_dim(), w.qkv_bias, w.q_norm,
             w.k_norm, config_.is_local(layer) ? local_ropes_ : ropes_,
             cache.sink_ropes(), rows_, cache.heads(), config_.num_heads,
             config_.num_kv_heads, config_.head_dim, config_.norm_eps, factor,
             flags, layer_head, q_, q_scales_, sink_q_, sink_q_scales_,
             cache.keys(), cache.low_keys(), cache.values(), cache.scales());
  const float cap = config_.score_cap * kLog2E;
  const float cap_factor = cap != 0 ? (2.0f * kLog2E) / cap : 0;
  const uint32_t kv_queries = config_.num_heads / config_.num_kv_heads;
  const uint32_t part_heads = std::min(kv_queries, span_queries_);
  const uint32_t head_parts = (kv_queries + part_heads - 1) / part_heads;
  const uint32_t groups = config_.num_kv_heads * head_parts;  // of a span
  const auto step = static_cast<uint32_t>(
      scores_.size_bytes() /
      (uint64_t{groups} * span_queries_ * score_stride_ * sizeof(float)));
  const auto num_spans = static_cast<uint32_t>(span_infos_.size());
  for (uint32_t span = 0; span < num_spans; span += step) {
    const uint32_t count = std::min(step, num_spans - span);
    queue_.Run(
        span_queries_ == kFewQueries ? Kernel::kAttendFew : Kernel::kAttend,
        {kGroupItems * groups, count}, {kGroupItems, 1}, q_, q_scales_, sink_q_,
        sink_q_scales_, cache.keys(), cache.low_keys(), cache.values(),
        cache.scales(), rows_, cache.heads(), spans_, span, config_.num_heads,
        config_.num_kv_heads, head_parts, part_heads, config_.head_dim, flags,
        cap, cap_factor, layer_head, score_stride_, scores_, heads_,
        LocalBytes{2 * size_t{span_queries_} * config_.head_dim});
  }
}

void DevicePass::Run(const KeyValues& key_values,
                     std::span<const RowInfo> rows) {
  const auto num_rows = static_cast<uint32_t>(rows.size());
  queue_.Write(rows_, 0, rows.data(), rows.size_bytes());
  SetSpans(rows);
  const uint32_t pairs = config_.head_dim / 2;
  queue_.Run(Kernel::kEmbed, {config_.dim, num_rows}, {0, 0},
             weights_.embedding.values, weights_.embedding.scales, rows_,
             config_.dim, config_.embedding_scale, x_);
  queue_.Run(Kernel::kRope, {pairs, num_rows}, {0, 0}, weights_.rope_steps,
             rows_, ropes_);
  if (config_.has_local_layers()) {
    queue_.Run(Kernel::kRope, {pairs, num_rows}, {0, 0},
               weights_.local_rope_steps, rows_, local_ropes_);
  }
  const DeviceWeights::Layer* before = nullptr;
  const auto post_norm = [&](const Buffer& weight) {
    return config_.has_post_norms ? &weight : nullptr;
  };
  for (uint32_t i = 0; i < config_.num_layers; ++i) {
    const DeviceWeights::Layer& w = weights_.layers[i];
    Norm(num_rows, before != nullptr ? &delta_ : nullptr,
         before != nullptr ? post_norm(before->post_ffn_norm) : nullptr,
         w.attn_norm);
    Multiply(w.qkv, config_.qkv_dim(), normed_, normed_scales_, 0, num_rows,
             qkv_, config_.qkv_dim());
    Attend(key_values, i, num_rows);
    queue_.Run(Kernel::kQuantize, {config_.q_dim() / kGroupSize, num_rows},
               {0, 0}, heads_, config_.q_dim(), mixed_, mixed_scales_);
    Multiply(w.attn_out, config_.dim, mixed_, mixed_scales_, 0, num_rows,
             delta_, config_.dim);
    Norm(num_rows, &delta_, post_norm(w.post_attn_norm), w.ffn_norm);
    Multiply(w.gate_up, 2 * config_.ffn_dim, normed_, normed_scales_, 0,
             num_rows, gate_up_, 2 * config_.ffn_dim);
    queue_.Run(Kernel::kGate, {config_.ffn_dim, num_rows}, {kGroupItems, 1},
               gate_up_, 2 * config_.ffn_dim, config_.ffn_dim,
               config_.activation == Activation::kGeluTanh ? 1u : 0u, gated_,
               gated_scales_);
    Multiply(w.ffn_down, config_.dim, gated_, gated_scales_, 0, num_rows,
             delta_, config_.dim);
    before = &w;
  }
  Norm(num_rows, &delta_, post_norm(before->post_ffn_norm),
       weights_.output_norm);
}

void DevicePass::Weigh(uint32_t row, uint32_t count) {
  const DeviceWeights::Matrix& head =
      config_.tied_head ? weights_.embedding : weights_.untied_head;
  Multiply(head, config_.num_tokens, normed_, normed_scales_, row, count,
           logits_, logits_stride_);
  const float cap = config_.logit_cap;
  const float cap_factor = cap != 0 ? (2.0f * kLog2E) / cap : 0;
  queue_.Run(Kernel::kLargestLogit, {kGroupItems * count, 1}, {kGroupItems, 1},
             logits_, logits_stride_, config_.num_tokens, cap, cap_factor,
             largest_);
  queue_.Run(Kernel::kTokenWeights, {kGroupItems * size_t{num_blocks()}, count},
             {kGroupItems, 1}, logits_, logits_stride_, config_.num_tokens,
             largest_, logits_, block_sums_);
}

}  // namespace llma::opencl
