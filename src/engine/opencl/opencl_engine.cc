// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/opencl_engine.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "base/aligned_buffer.h"
#include "model/attention.h"
#include "model/kv_cache.h"
#include "numerics/exact_math.h"

namespace llma {
namespace {

using opencl::Buffer;
using opencl::Device;
using opencl::Kernel;
using opencl::kGroupItems;
using opencl::Queue;

// Rows whose logits are on the device at a time.
constexpr uint32_t kLogitRows = 256;
// Of scores and weights of attention at a time.
constexpr uint64_t kAttentionBytes = uint64_t{64} << 20;

// Row and Head of kernels.cl.
struct RowInfo {
  uint64_t position;
  uint64_t cache_position;
  uint32_t stream;
  uint32_t token;
  uint32_t ancestors;
  uint32_t depth;
};
struct HeadInfo {
  uint32_t window;
  uint32_t num_slots;
  uint32_t first_slot;
  uint32_t keeps_sinks;
};

// Flags of the kernels norm and heads.
constexpr uint32_t kHasDelta = 1, kNormsDelta = 2;
constexpr uint32_t kHasBias = 1, kHasNorms = 2, kHasWideKeys = 4;

size_t RoundedUp(size_t size, size_t unit) {
  return (size + unit - 1) / unit * unit;
}

size_t DeviceLogitsStride(const ModelConfig& config) {
  return RoundedUp(config.num_tokens, kTokenBlock);
}

// Places of one query's scores: sinks, window, tree, and up to a multiple of 4
// on both sides.
uint32_t ScoreStride(const ModelConfig& config, uint32_t window_positions) {
  const uint32_t window =
      std::max(config.MaxHeadWindow(window_positions), config.local_positions);
  return static_cast<uint32_t>(
      RoundedUp(window + kNumSinks + kMaxTreeTokens + 8, 16));
}

// Keys and values of some streams: [layer], each [stream, head, slot].
struct Cache {
  struct Layer {
    Buffer heads, keys, low_keys, values, scales;
    uint32_t num_slots = 0;  // of all heads of a stream
  };

  static Result<Cache> Create(const Device& device, const ModelConfig& config,
                              const SessionShape& shape) {
    Cache cache;
    for (uint32_t i = 0; i < config.num_layers; ++i) {
      Layer& layer = cache.layers.emplace_back();
      std::vector<HeadInfo> heads;
      for (uint32_t head = 0; head < config.num_kv_heads; ++head) {
        const KvCache::Head of = KvCache::HeadOf(
            config, i, head, shape.window_positions, shape.max_run_tokens);
        heads.push_back({of.window_positions, of.num_slots, layer.num_slots,
                         of.keeps_sinks ? 1u : 0u});
        layer.num_slots += of.num_slots;
      }
      const uint64_t slots = uint64_t{layer.num_slots} * shape.num_streams;
      const uint64_t bytes = slots * config.head_dim;
      const bool is_wide = config.key_width == KeyWidth::k15Bits;
      LLMA_ASSIGN(layer.heads, device.Upload(std::span<const HeadInfo>(heads)));
      LLMA_ASSIGN(layer.keys, device.Allocate(bytes));
      LLMA_ASSIGN(layer.low_keys, device.Allocate(is_wide ? bytes : 1));
      LLMA_ASSIGN(layer.values, device.Allocate(bytes));
      LLMA_ASSIGN(layer.scales, device.Allocate(slots * 2 * sizeof(float)));
    }
    return cache;
  }

  std::vector<Layer> layers;
};

struct OpenClStreamStart : StreamStart {
  Cache cache;
  uint64_t num_positions = 0;
};

// The forward pass over the streams of a session.
class DeviceStreams {
 public:
  static Result<std::unique_ptr<DeviceStreams>> Open(
      const OpenClEngine& engine, const SessionOptions& options) {
    std::unique_ptr<DeviceStreams> streams(new DeviceStreams(engine, options));
    LLMA_TRY(streams->Prepare());
    if (options.start != nullptr) {
      streams->StartAs(*static_cast<const OpenClStreamStart*>(options.start));
    }
    LLMA_TRY(streams->queue_->Finish());
    return streams;
  }

  // All layers and the last norm.
  void Run(std::span<const StreamTokens> batch);

  // Logits of some rows of the last Run become weights, and sums of blocks, in
  // their order.
  void Weigh(uint32_t row, uint32_t count);
  const Buffer& token_weights() const { return logits_; }
  const Buffer& block_sums() const { return block_sums_; }

  void Keep(uint32_t stream, std::span<const uint32_t> kept);
  Result<std::shared_ptr<const StreamStart>> Share(uint32_t stream);

  Queue& queue() { return *queue_; }
  uint32_t logits_stride() const { return logits_stride_; }
  uint32_t num_blocks() const {
    return static_cast<uint32_t>(TokenMasses::NumBlocks(config_.num_tokens));
  }
  uint32_t logit_rows() const { return std::min(kLogitRows, max_rows_); }

 private:
  DeviceStreams(const OpenClEngine& engine, const SessionOptions& options)
      : device_(engine.device()),
        model_(engine.model()),
        config_(engine.model().config()),
        weights_(engine.weights()),
        shape_(options.shape),
        clock_(options.clock),
        max_rows_(options.shape.max_rows()),
        logits_stride_(static_cast<uint32_t>(DeviceLogitsStride(config_))),
        score_stride_(ScoreStride(config_, shape_.window_positions)),
        num_positions_(shape_.num_streams),
        num_run_(shape_.num_streams) {}

  Status Prepare();
  void StartAs(const OpenClStreamStart& start);
  // Of all layers: as many of moves_, or, if that is 0, what can be seen from
  // position `end` on.
  void CopyPositions(const Cache& to, uint32_t to_stream, const Cache& from,
                     uint32_t from_stream, uint32_t num_moves, uint64_t end);
  void SetRows(std::span<const StreamTokens> batch);
  void Norm(uint32_t num_rows, const Buffer* delta, const Buffer* delta_weight,
            const Buffer& weight);
  void Multiply(const OpenClEngine::Matrix& w, uint32_t num_w_rows,
                const Buffer& x, const Buffer& x_scales, uint32_t x_row,
                uint32_t num_rows, const Buffer& y, uint32_t y_stride);
  void Attend(uint32_t layer, uint32_t num_rows);

  const Device& device_;
  const Model& model_;
  const ModelConfig& config_;
  const OpenClEngine::Weights& weights_;
  const SessionShape shape_;
  StageClock* const clock_;
  const uint32_t max_rows_, logits_stride_, score_stride_;
  uint32_t attention_rows_ = 0;  // of one launch
  Cache cache_;
  std::vector<Buffer> sink_ropes_;  // [layer]
  Buffer none_;                     // where a kernel gets nothing
  Buffer rows_, ropes_, local_ropes_, moves_;
  Buffer x_, normed_, normed_scales_;             // [row, dim]
  Buffer qkv_;                                    // [row, qkv_dim]
  Buffer q_, q_scales_, sink_q_, sink_q_scales_;  // [row, head, head_dim]
  Buffer scores_, score_weights_;                 // [row, head, score_stride_]
  Buffer heads_, mixed_, mixed_scales_;           // [row, q_dim]
  Buffer delta_;                                  // [row, dim]
  Buffer gate_up_;                                // [row, 2 * ffn_dim]
  Buffer gated_, gated_scales_;                   // [row, ffn_dim]
  Buffer logits_, largest_, block_sums_;          // [row < kLogitRows, ...]
  std::vector<uint64_t> num_positions_;           // [stream]
  std::vector<uint32_t> num_run_;                 // [stream]: in the last Run
  std::vector<RowInfo> row_infos_;
  uint64_t tree_begin_ = 0;
  uint32_t tree_size_ = 0;
  std::unique_ptr<Queue> queue_;  // ends before the buffers go
};

Status DeviceStreams::Prepare() {
  LLMA_ASSIGN(queue_, Queue::Open(device_));
  LLMA_ASSIGN(cache_, Cache::Create(device_, config_, shape_));
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
  LLMA_TRY(allocate(ropes_, head_dim * float_bytes, rows));
  LLMA_TRY(allocate(local_ropes_, head_dim * float_bytes,
                    config_.has_local_layers() ? rows : 1));
  LLMA_TRY(allocate(moves_, 2 * sizeof(uint64_t), shape_.max_run_tokens));
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
  const uint64_t row_score_bytes =
      num_heads * score_stride_ * (float_bytes + 2);
  attention_rows_ = static_cast<uint32_t>(
      std::clamp<uint64_t>(kAttentionBytes / row_score_bytes, 1, max_rows_));
  LLMA_TRY(allocate(scores_, num_heads * score_stride_ * float_bytes,
                    attention_rows_));
  LLMA_TRY(
      allocate(score_weights_, num_heads * score_stride_ * 2, attention_rows_));
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
  // Queries of the sinks, of which a window hides positions.
  std::vector<float> table(size_t{config_.num_kv_heads} * config_.head_dim);
  for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
    const auto steps = config_.is_local(layer) ? model_.local_rope_steps()
                                               : model_.rope_steps();
    for (uint32_t head = 0; head < config_.num_kv_heads; ++head) {
      const uint64_t window =
          KvCache::HeadOf(config_, layer, head, shape_.window_positions, 1)
              .window_positions;
      float* cos = table.data() + size_t{head} * config_.head_dim;
      ComputeRopeRow(steps, kNumSinks + window - 1, cos,
                     cos + config_.head_dim / 2);
    }
    LLMA_ASSIGN(Buffer uploaded, device_.Upload(std::span<const float>(table)));
    sink_ropes_.push_back(std::move(uploaded));
  }
  return OkStatus();
}

void DeviceStreams::CopyPositions(const Cache& to_cache, uint32_t to_stream,
                                  const Cache& from_cache, uint32_t from_stream,
                                  uint32_t num_moves, uint64_t end) {
  const bool is_wide = config_.key_width == KeyWidth::k15Bits;
  for (uint32_t i = 0; i < config_.num_layers; ++i) {
    const Cache::Layer &to = to_cache.layers[i], &from = from_cache.layers[i];
    queue_->Run(Kernel::kCopyPositions,
                {config_.head_dim, config_.num_kv_heads}, {0, 0}, to.keys,
                to.low_keys, to.values, to.scales, to.heads, to_stream,
                to.num_slots, from.keys, from.low_keys, from.values,
                from.scales, from.heads, from_stream, from.num_slots,
                is_wide ? 1u : 0u, moves_, num_moves, end);
  }
}

void DeviceStreams::StartAs(const OpenClStreamStart& start) {
  for (uint32_t stream = 0; stream < shape_.num_streams; ++stream) {
    CopyPositions(cache_, stream, start.cache, 0, 0, start.num_positions);
    num_positions_[stream] = start.num_positions;
  }
}

Result<std::shared_ptr<const StreamStart>> DeviceStreams::Share(
    uint32_t stream) {
  auto shared = std::make_shared<OpenClStreamStart>();
  shared->num_positions = num_positions_[stream];
  LLMA_ASSIGN(shared->cache,
              Cache::Create(device_, config_, {1, shape_.window_positions, 1}));
  CopyPositions(shared->cache, 0, cache_, stream, 0, shared->num_positions);
  LLMA_TRY(queue_->Finish());
  return std::shared_ptr<const StreamStart>(std::move(shared));
}

void DeviceStreams::Keep(uint32_t stream, std::span<const uint32_t> kept) {
  const uint64_t begin = num_positions_[stream] - num_run_[stream];
  std::vector<uint64_t> moves;
  for (size_t i = 0; i < kept.size(); ++i) {
    if (kept[i] == i) continue;
    moves.push_back(begin + kept[i]);
    moves.push_back(begin + i);
  }
  num_positions_[stream] = begin + kept.size();
  if (moves.empty()) return;
  queue_->Write(moves_, moves.data(), moves.size() * sizeof(uint64_t));
  CopyPositions(cache_, stream, cache_, stream,
                static_cast<uint32_t>(moves.size() / 2), 0);
}

void DeviceStreams::SetRows(std::span<const StreamTokens> batch) {
  row_infos_.clear();
  tree_size_ = 0;
  for (const StreamTokens& of : batch) {
    const uint64_t begin = num_positions_[of.stream];
    const auto count = static_cast<uint32_t>(of.tokens.size());
    for (uint32_t i = 0; i < count; ++i) {
      RowInfo row = {begin + i, begin + i, of.stream, of.tokens[i], 0, 0};
      if (!of.parents.empty()) {
        if (i > 0) {
          const RowInfo& parent = row_infos_[of.parents[i]];
          row.depth = parent.depth + 1;
          row.ancestors = parent.ancestors;
        }
        row.ancestors |= uint32_t{1} << i;
        row.position = begin + row.depth;
        tree_begin_ = begin - kNumSinks;
        tree_size_ = count;
      }
      row_infos_.push_back(row);
    }
    num_run_[of.stream] = count;
    num_positions_[of.stream] += count;
  }
}

void DeviceStreams::Norm(uint32_t num_rows, const Buffer* delta,
                         const Buffer* delta_weight, const Buffer& weight) {
  const uint32_t flags = (delta != nullptr ? kHasDelta : 0) |
                         (delta_weight != nullptr ? kNormsDelta : 0);
  queue_->Run(Kernel::kNorm, {kGroupItems * num_rows, 1}, {kGroupItems, 1}, x_,
              delta != nullptr ? *delta : none_,
              delta_weight != nullptr ? *delta_weight : none_, weight,
              config_.dim, config_.norm_eps, flags, normed_, normed_scales_);
}

void DeviceStreams::Multiply(const OpenClEngine::Matrix& w, uint32_t num_w_rows,
                             const Buffer& x, const Buffer& x_scales,
                             uint32_t x_row, uint32_t num_rows, const Buffer& y,
                             uint32_t y_stride) {
  // Few rows have an item each; else one takes several.
  constexpr uint32_t kFewRows = 2;
  const bool are_few = num_rows <= kFewRows;
  if (!device_.info().is_gpu) {
    const uint32_t item_rows = are_few ? 1 : 4;
    queue_->Run(are_few ? Kernel::kMultiplyPanelOne : Kernel::kMultiplyPanel,
                {(num_w_rows + kPanelRows - 1) / kPanelRows,
                 (num_rows + item_rows - 1) / item_rows},
                {0, 0}, w.values, w.scales, num_w_rows, w.num_groups, x,
                x_scales, x_row, num_rows, y, y_stride);
    return;
  }
  // With many rows, items of a group read the same weights at about the same
  // time: all but the first find them in the cache.
  constexpr uint32_t kManyRows = 16;
  constexpr size_t kSharingItems = 4;
  const uint32_t item_rows = are_few ? 1 : 8;
  const size_t sharing =
      num_rows >= kManyRows &&
              device_.info().max_group_items >= kSharingItems * kGroupItems
          ? kSharingItems
          : 1;
  queue_->Run(are_few ? Kernel::kMultiplyOne : Kernel::kMultiply,
              {RoundedUp(num_w_rows, kGroupItems),
               RoundedUp((num_rows + item_rows - 1) / item_rows, sharing)},
              {kGroupItems, sharing}, w.values, w.scales, num_w_rows,
              w.num_groups, x, x_scales, x_row, num_rows, y, y_stride);
}

void DeviceStreams::Attend(uint32_t layer, uint32_t num_rows) {
  const OpenClEngine::Layer& w = weights_.layers[layer];
  const Cache::Layer& cache = cache_.layers[layer];
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
  queue_->Run(Kernel::kHeads, {kGroupItems * all_heads, num_rows},
              {kGroupItems, 1}, qkv_, config_.qkv_dim(), w.qkv_bias, w.q_norm,
              w.k_norm, config_.is_local(layer) ? local_ropes_ : ropes_,
              sink_ropes_[layer], rows_, cache.heads, config_.num_heads,
              config_.num_kv_heads, config_.head_dim, config_.norm_eps, factor,
              flags, cache.num_slots, q_, q_scales_, sink_q_, sink_q_scales_,
              cache.keys, cache.low_keys, cache.values, cache.scales);
  const float cap = config_.score_cap * kLog2E;
  const float cap_factor = cap != 0 ? (2.0f * kLog2E) / cap : 0;
  for (uint32_t row = 0; row < num_rows; row += attention_rows_) {
    const uint32_t count = std::min(attention_rows_, num_rows - row);
    queue_->Run(
        Kernel::kAttend, {kGroupItems * size_t{config_.num_heads}, count},
        {kGroupItems, 1}, q_, q_scales_, sink_q_, sink_q_scales_, cache.keys,
        cache.low_keys, cache.values, cache.scales, rows_, cache.heads, row,
        config_.num_heads, config_.num_kv_heads, config_.head_dim, flags, cap,
        cap_factor, cache.num_slots, tree_begin_, tree_size_, score_stride_,
        scores_, score_weights_, heads_);
  }
}

void DeviceStreams::Run(std::span<const StreamTokens> batch) {
  EnterStage(clock_, Stage::kMatmul);
  SetRows(batch);
  const auto num_rows = static_cast<uint32_t>(row_infos_.size());
  if (clock_ != nullptr) clock_->AddPositions(num_rows);
  queue_->Write(rows_, row_infos_.data(), row_infos_.size() * sizeof(RowInfo));
  const uint32_t pairs = config_.head_dim / 2;
  queue_->Run(Kernel::kEmbed, {config_.dim, num_rows}, {0, 0},
              weights_.embedding.values, weights_.embedding.scales, rows_,
              config_.dim, config_.embedding_scale, x_);
  queue_->Run(Kernel::kRope, {pairs, num_rows}, {0, 0}, weights_.rope_steps,
              rows_, ropes_);
  if (config_.has_local_layers()) {
    queue_->Run(Kernel::kRope, {pairs, num_rows}, {0, 0},
                weights_.local_rope_steps, rows_, local_ropes_);
  }
  const OpenClEngine::Layer* before = nullptr;
  const auto post_norm = [&](const Buffer& weight) {
    return config_.has_post_norms ? &weight : nullptr;
  };
  for (uint32_t i = 0; i < config_.num_layers; ++i) {
    const OpenClEngine::Layer& w = weights_.layers[i];
    Norm(num_rows, before != nullptr ? &delta_ : nullptr,
         before != nullptr ? post_norm(before->post_ffn_norm) : nullptr,
         w.attn_norm);
    Multiply(w.qkv, config_.qkv_dim(), normed_, normed_scales_, 0, num_rows,
             qkv_, config_.qkv_dim());
    Attend(i, num_rows);
    queue_->Run(Kernel::kQuantize, {config_.q_dim() / kGroupSize, num_rows},
                {0, 0}, heads_, config_.q_dim(), mixed_, mixed_scales_);
    Multiply(w.attn_out, config_.dim, mixed_, mixed_scales_, 0, num_rows,
             delta_, config_.dim);
    Norm(num_rows, &delta_, post_norm(w.post_attn_norm), w.ffn_norm);
    Multiply(w.gate_up, 2 * config_.ffn_dim, normed_, normed_scales_, 0,
             num_rows, gate_up_, 2 * config_.ffn_dim);
    queue_->Run(Kernel::kGate, {config_.ffn_dim, num_rows}, {kGroupItems, 1},
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

void DeviceStreams::Weigh(uint32_t row, uint32_t count) {
  EnterStage(clock_, Stage::kHead);
  const OpenClEngine::Matrix& head =
      config_.tied_head ? weights_.embedding : weights_.untied_head;
  Multiply(head, config_.num_tokens, normed_, normed_scales_, row, count,
           logits_, logits_stride_);
  const float cap = config_.logit_cap;
  const float cap_factor = cap != 0 ? (2.0f * kLog2E) / cap : 0;
  queue_->Run(Kernel::kLargestLogit, {kGroupItems * count, 1}, {kGroupItems, 1},
              logits_, logits_stride_, config_.num_tokens, cap, cap_factor,
              largest_);
  queue_->Run(Kernel::kTokenWeights,
              {kGroupItems * size_t{num_blocks()}, count}, {kGroupItems, 1},
              logits_, logits_stride_, config_.num_tokens, largest_, logits_,
              block_sums_);
}

// Of a row's weights, which stay, and the sums of their blocks.
void SetMasses(const uint32_t* weights, uint32_t num_tokens,
               std::span<const uint64_t> block_sums, TokenMasses& masses) {
  masses.Set(block_sums, [weights, num_tokens](uint32_t block, uint32_t* to) {
    const uint32_t begin = block * kTokenBlock;
    std::copy_n(weights + begin, std::min(kTokenBlock, num_tokens - begin), to);
  });
}

class OpenClEncodeSession : public EncodeSession {
 public:
  static Result<std::unique_ptr<EncodeSession>> Open(
      const OpenClEngine& engine, const SessionOptions& options) {
    LLMA_ASSIGN(auto streams, DeviceStreams::Open(engine, options));
    std::unique_ptr<OpenClEncodeSession> session(
        new OpenClEncodeSession(engine, std::move(streams), options.clock));
    LLMA_ASSIGN(session->sums_before_,
                engine.device().Allocate(
                    uint64_t{session->streams_->logit_rows()} *
                    (session->streams_->num_blocks() + 1) * sizeof(uint64_t)));
    return std::unique_ptr<EncodeSession>(std::move(session));
  }

  Status Run(std::span<const StreamTokens> batch,
             std::span<const uint32_t> targets,
             std::span<std::vector<Probability>> paths,
             const MassesCallback& on_masses) override {
    if (targets.empty()) return OkStatus();
    // What the host brings is there before there is work to wait for.
    LLMA_TRY(SetDecisions(targets));
    streams_->Run(batch);
    const auto num_rows = static_cast<uint32_t>(targets.size());
    const uint32_t step = streams_->logit_rows();
    for (uint32_t row = 0; row < num_rows; row += step) {
      const uint32_t count = std::min(step, num_rows - row);
      streams_->Weigh(row, count);
      Decide(row, count);
      if (on_masses) LLMA_TRY(ShowMasses(row, count, on_masses));
    }
    Queue& queue = streams_->queue();
    found_.resize(decisions_.size());
    queue.Read(probabilities_, 0, found_.size() * sizeof(Probability),
               found_.data());
    LLMA_TRY(queue.Finish());
    for (uint32_t row = 0; row < num_rows; ++row) {
      paths[row].assign(found_.begin() + first_decision_[row],
                        found_.begin() + first_decision_[row + 1]);
    }
    EnterStage(clock_, Stage::kTokenWeights);
    return OkStatus();
  }

  Result<std::shared_ptr<const StreamStart>> Share(uint32_t stream) override {
    return streams_->Share(stream);
  }

 private:
  OpenClEncodeSession(const OpenClEngine& engine,
                      std::unique_ptr<DeviceStreams> streams, StageClock* clock)
      : engine_(engine),
        clock_(clock),
        streams_(std::move(streams)),
        decisions_of_(engine.model().config().num_tokens) {}

  // Of the tokens that follow all rows.
  Status SetDecisions(std::span<const uint32_t> targets) {
    decisions_.clear();
    decision_rows_.clear();
    first_decision_.assign(1, 0);
    for (uint32_t row = 0; row < targets.size(); ++row) {
      std::vector<DecisionRows>& of = decisions_of_[targets[row]];
      if (of.empty()) of = DecisionsOf(engine_.index(), targets[row]);
      decisions_.insert(decisions_.end(), of.begin(), of.end());
      decision_rows_.insert(decision_rows_.end(), of.size(),
                            row % streams_->logit_rows());
      first_decision_.push_back(static_cast<uint32_t>(decisions_.size()));
    }
    const size_t count = decisions_.size();
    if (count > max_decisions_) {
      max_decisions_ = RoundedUp(2 * count, 1024);
      const Device& device = engine_.device();
      LLMA_ASSIGN(device_decisions_,
                  device.Allocate(max_decisions_ * sizeof(DecisionRows)));
      LLMA_ASSIGN(device_rows_,
                  device.Allocate(max_decisions_ * sizeof(uint32_t)));
      LLMA_ASSIGN(probabilities_,
                  device.Allocate(max_decisions_ * sizeof(Probability)));
    }
    Queue& queue = streams_->queue();
    queue.Write(device_decisions_, decisions_.data(),
                count * sizeof(DecisionRows));
    queue.Write(device_rows_, decision_rows_.data(), count * sizeof(uint32_t));
    return OkStatus();
  }

  // The probabilities of the decisions of rows that have weights now.
  void Decide(uint32_t row, uint32_t count) {
    Queue& queue = streams_->queue();
    queue.Run(Kernel::kAddUp, {count, 1}, {0, 0}, streams_->block_sums(),
              streams_->num_blocks(), sums_before_);
    const uint32_t first = first_decision_[row];
    const uint32_t end = first_decision_[row + count];
    queue.Run(Kernel::kDecide, {RoundedUp(end - first, kGroupItems), 1},
              {kGroupItems, 1}, device_decisions_, device_rows_, first, end,
              streams_->token_weights(), streams_->logits_stride(),
              sums_before_, streams_->num_blocks(), probabilities_);
  }

  Status ShowMasses(uint32_t row, uint32_t count,
                    const MassesCallback& on_masses) {
    const size_t stride = streams_->logits_stride();
    const size_t blocks = streams_->num_blocks();
    std::vector<uint32_t> weights(count * stride);
    std::vector<uint64_t> sums(count * blocks);
    Queue& queue = streams_->queue();
    queue.Read(streams_->token_weights(), 0, weights.size() * sizeof(uint32_t),
               weights.data());
    queue.Read(streams_->block_sums(), 0, sums.size() * sizeof(uint64_t),
               sums.data());
    LLMA_TRY(queue.Finish());
    const uint32_t num_tokens = engine_.model().config().num_tokens;
    TokenMasses masses(num_tokens);
    for (uint32_t i = 0; i < count; ++i) {
      SetMasses(weights.data() + i * stride, num_tokens,
                std::span(sums).subspan(i * blocks, blocks), masses);
      on_masses(row + i, masses);
    }
    return OkStatus();
  }

  const OpenClEngine& engine_;
  StageClock* const clock_;
  Buffer sums_before_;  // [row < logit_rows, num_blocks + 1]
  Buffer device_decisions_, device_rows_, probabilities_;
  size_t max_decisions_ = 0;  // that these have room for
  std::unique_ptr<DeviceStreams> streams_;
  std::vector<std::vector<DecisionRows>> decisions_of_;  // [token], when needed
  std::vector<DecisionRows> decisions_;
  std::vector<uint32_t> decision_rows_;   // [decision]: among rows of Weigh()
  std::vector<uint32_t> first_decision_;  // [row], and their end
  std::vector<Probability> found_;
};

class OpenClDecodeSession : public DecodeSession {
 public:
  static Result<std::unique_ptr<DecodeSession>> Open(
      const OpenClEngine& engine, const SessionOptions& options) {
    LLMA_ASSIGN(auto streams, DeviceStreams::Open(engine, options));
    return std::unique_ptr<DecodeSession>(
        new OpenClDecodeSession(engine, std::move(streams), options));
  }

  Status Run(std::span<const StreamTokens> batch) override {
    if (batch.empty()) return OkStatus();
    streams_->Run(batch);
    places_.clear();
    for (const StreamTokens& of : batch) {
      for (uint32_t i = 0; i < of.tokens.size(); ++i) {
        places_.push_back(size_t{of.stream} * max_run_tokens_ + i);
      }
    }
    const auto num_rows = static_cast<uint32_t>(places_.size());
    const uint32_t step = streams_->logit_rows();
    for (uint32_t row = 0; row < num_rows; row += step) {
      const uint32_t count = std::min(step, num_rows - row);
      streams_->Weigh(row, count);
      ReadRows(row, count);
    }
    return streams_->queue().Finish();
  }

  void Weigh(uint32_t row, TokenMasses& masses) override {
    const size_t place = places_[row];
    SetMasses(weights_.data() + place * stride_, num_tokens_,
              {block_sums_.data() + place * num_blocks_, num_blocks_}, masses);
  }

  void Keep(uint32_t stream, std::span<const uint32_t> kept) override {
    streams_->Keep(stream, kept);
  }

 private:
  OpenClDecodeSession(const OpenClEngine& engine,
                      std::unique_ptr<DeviceStreams> streams,
                      const SessionOptions& options)
      : num_tokens_(engine.model().config().num_tokens),
        max_run_tokens_(options.shape.max_run_tokens),
        stride_(streams->logits_stride()),
        num_blocks_(streams->num_blocks()),
        weights_(options.shape.max_rows() * stride_),
        block_sums_(options.shape.max_rows() * num_blocks_),
        streams_(std::move(streams)) {}

  // Weights and sums of the device's first rows, those whose places follow each
  // other at once.
  void ReadRows(uint32_t row, uint32_t count) {
    Queue& queue = streams_->queue();
    const size_t row_bytes = stride_ * sizeof(uint32_t);
    const size_t sum_bytes = num_blocks_ * sizeof(uint64_t);
    for (uint32_t i = 0; i < count;) {
      const size_t place = places_[row + i];
      uint32_t end = i + 1;
      while (end < count && places_[row + end] == place + (end - i)) ++end;
      queue.Read(streams_->token_weights(), i * row_bytes,
                 (end - i) * row_bytes, weights_.data() + place * stride_);
      queue.Read(streams_->block_sums(), i * sum_bytes, (end - i) * sum_bytes,
                 block_sums_.data() + place * num_blocks_);
      i = end;
    }
  }

  const uint32_t num_tokens_, max_run_tokens_;
  const size_t stride_, num_blocks_;
  // [stream, token of a Run], so that they stay when other streams run.
  AlignedBuffer<uint32_t> weights_;
  AlignedBuffer<uint64_t> block_sums_;
  std::vector<size_t> places_;  // [row of the last Run] there
  std::unique_ptr<DeviceStreams>
      streams_;  // whose work ends before the memory goes
};

}  // namespace

Result<std::unique_ptr<OpenClEngine>> OpenClEngine::Create(
    const Model& model, const opencl::DeviceInfo& info) {
  LLMA_ASSIGN(auto device, Device::Open(info));
  std::unique_ptr<OpenClEngine> engine(
      new OpenClEngine(model, std::move(device)));
  LLMA_TRY(engine->Upload());
  return engine;
}

Status OpenClEngine::Upload() {
  const auto floats = [&](std::span<const float> values, Buffer& to) -> Status {
    LLMA_ASSIGN(to, device_->Upload(values));
    return OkStatus();
  };
  const auto steps = [&](std::span<const uint64_t> values,
                         Buffer& to) -> Status {
    LLMA_ASSIGN(to, device_->Upload(values));
    return OkStatus();
  };
  const auto matrix = [&](const LinearWeights& of, Matrix& to) -> Status {
    const std::span<const int8_t> values(
        of.values, static_cast<size_t>(of.values_bytes()));
    LLMA_ASSIGN(to.values, device_->Upload(values));
    LLMA_TRY(
        floats({of.scales, static_cast<size_t>(of.num_scales())}, to.scales));
    to.num_rows = of.num_panels() * kPanelRows;
    to.num_groups = of.num_groups();
    return OkStatus();
  };
  const ModelConfig& config = model().config();
  for (uint32_t i = 0; i < config.num_layers; ++i) {
    const LayerWeights& from = model().layer(i);
    Layer& to = weights_.layers.emplace_back();
    LLMA_TRY(floats(from.attn_norm, to.attn_norm));
    LLMA_TRY(floats(from.qkv_bias, to.qkv_bias));
    LLMA_TRY(floats(from.q_norm, to.q_norm));
    LLMA_TRY(floats(from.k_norm, to.k_norm));
    LLMA_TRY(floats(from.post_attn_norm, to.post_attn_norm));
    LLMA_TRY(floats(from.ffn_norm, to.ffn_norm));
    LLMA_TRY(floats(from.post_ffn_norm, to.post_ffn_norm));
    LLMA_TRY(matrix(from.qkv, to.qkv));
    LLMA_TRY(matrix(from.attn_out, to.attn_out));
    LLMA_TRY(matrix(from.gate_up, to.gate_up));
    LLMA_TRY(matrix(from.ffn_down, to.ffn_down));
  }
  LLMA_TRY(matrix(model().embedding(), weights_.embedding));
  if (!config.tied_head) LLMA_TRY(matrix(model().head(), weights_.untied_head));
  LLMA_TRY(floats(model().output_norm(), weights_.output_norm));
  LLMA_TRY(steps(model().rope_steps(), weights_.rope_steps));
  return steps(model().local_rope_steps(), weights_.local_rope_steps);
}

uint32_t OpenClEngine::encode_rows() const {
  constexpr uint32_t kProcessorRows = 256;
  return device_->info().is_gpu ? kMaxEncodeRows : kProcessorRows;
}

float OpenClEngine::extra_row_cost() const {
  return device_->info().is_gpu ? 0.02f : 0.9f;
}

Result<std::unique_ptr<EncodeSession>> OpenClEngine::OpenEncoder(
    const SessionOptions& options) {
  return OpenClEncodeSession::Open(*this, options);
}

Result<std::unique_ptr<DecodeSession>> OpenClEngine::OpenDecoder(
    const SessionOptions& options) {
  return OpenClDecodeSession::Open(*this, options);
}

uint64_t OpenClEngine::EncoderBytes(const ModelConfig& config,
                                    const SessionShape& shape) {
  // Some 64 decisions of each row, and what is known of tokens.
  constexpr uint64_t kPathDecisions = 64;
  return shape.max_rows() * kPathDecisions *
             (sizeof(DecisionRows) + sizeof(uint32_t) + sizeof(Probability)) +
         config.num_tokens * kPathDecisions * sizeof(DecisionRows);
}

uint64_t OpenClEngine::DecoderBytes(const ModelConfig& config,
                                    const SessionShape& shape) {
  return shape.max_rows() *
         (DeviceLogitsStride(config) * sizeof(uint32_t) +
          TokenMasses::NumBlocks(config.num_tokens) * sizeof(uint64_t));
}

}  // namespace llma
