// SPDX-License-Identifier: Apache-2.0
#include "model/reference_forward.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "model/attention.h"
#include "model/kv_cache.h"
#include "numerics/exact_math.h"
#include "numerics/reference_ops.h"

namespace llma {
namespace {

using Floats = std::vector<float>;

// A quantised row: integers [size], scales [size / group_size].
struct Quantized {
  Quantized(std::span<const float> x, uint32_t group_size)
      : values(x.size()),
        scales(x.size() / group_size),
        starts(x.size() / group_size) {
    reference::QuantizeRow(x.data(), static_cast<uint32_t>(x.size()),
                           group_size, values.data(), scales.data(),
                           starts.data());
  }
  std::vector<int8_t> values;
  Floats scales;
  std::vector<int32_t> starts;
};

// Matmul(W, Quantise(x)): [cols] -> [rows].
Floats MultiplyQuantized(const LinearWeights& w, const Floats& x) {
  const Quantized q(x, kGroupSize);
  const QuantizedRows row = {q.values.data(), q.scales.data(),
                             q.starts.data(), 1,
                             w.num_cols,      w.num_groups()};
  Floats y(size_t{w.num_panels()} * kPanelRows);
  reference::Matmul(w, 0, w.num_panels(), row, y.data(), y.size());
  y.resize(w.num_rows);
  return y;
}

// RmsNorm(x, weight): the shape stays.
Floats Norm(std::span<const float> x, std::span<const float> weight,
            float eps) {
  Floats y(x.size());
  reference::RmsNorm(x.data(), weight.data(), static_cast<uint32_t>(x.size()),
                     eps, y.data());
  return y;
}

// x = x + [RmsNorm](delta).
void AddTo(Floats& x, Floats delta, std::span<const float> post_norm,
           float eps) {
  if (!post_norm.empty()) delta = Norm(delta, post_norm, eps);
  for (size_t i = 0; i < x.size(); ++i) x[i] += delta[i];
}

}  // namespace

ReferenceForward::ReferenceForward(const Model& model,
                                   uint32_t window_positions)
    : ReferenceForward(model, model.config(), window_positions) {}

ReferenceForward::ReferenceForward(const Model& model,
                                   const ModelConfig& config,
                                   uint32_t window_positions)
    : model_(model),
      config_(config),
      window_positions_(window_positions),
      cache_(config.num_layers,
             std::vector<std::vector<KeyValue>>(config.num_kv_heads)) {}

Floats ReferenceForward::Feed(uint32_t token) {
  const float eps = config_.norm_eps;
  // x: [dim], the residual stream.
  Floats x = Embed(token);
  Report(0, "x", x);
  for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
    const LayerWeights& w = model_.layer(layer);
    // x = x + Attention(RmsNorm(x)).
    Floats h = Norm(x, w.attn_norm, eps);
    Report(layer, "attn_norm", h);
    AddTo(x, Attention(layer, h), w.post_attn_norm, eps);
    // x = x + FeedForward(RmsNorm(x)).
    h = Norm(x, w.ffn_norm, eps);
    Report(layer, "ffn_norm", h);
    AddTo(x, FeedForward(layer, h), w.post_ffn_norm, eps);
    Report(layer + 1, "x", x);
  }
  ++position_;
  // logits = W_head RmsNorm(x): [num_rows]; only tokens can be predicted.
  const Floats h = Norm(x, model_.output_norm(), eps);
  Report(config_.num_layers, "output_norm", h);
  Floats logits = MultiplyQuantized(model_.head(), h);
  logits.resize(config_.num_tokens);
  if (config_.logit_cap != 0) {
    reference::SoftCap(config_.logit_cap, config_.num_tokens, logits.data());
  }
  Report(config_.num_layers, "logits", logits);
  return logits;
}

// Row `token` of the embedding, as floats: [dim].
Floats ReferenceForward::Embed(uint32_t token) const {
  const LinearWeights& table = model_.embedding();
  Floats x(config_.dim);
  for (uint32_t i = 0; i < config_.dim; ++i) {
    const float value =
        static_cast<float>(table.values[table.value_idx(token, i)]) *
        table.scales[table.scale_idx(token, i / kGroupSize)];
    x[i] = value * config_.embedding_scale;
  }
  return x;
}

// h: [dim], normed. Stores the token's keys and values, then lets each query
// head look at what it sees. Returns [dim].
Floats ReferenceForward::Attention(uint32_t layer, const Floats& h) {
  const LayerWeights& w = model_.layer(layer);
  const uint32_t head_dim = config_.head_dim;
  // q, k, v = W_qkv h [+ bias], one after the other:
  // [num_heads + 2 * num_kv_heads, head_dim].
  Floats qkv = MultiplyQuantized(w.qkv, h);
  Report(layer, "qkv", qkv);
  for (size_t i = 0; i < w.qkv_bias.size(); ++i) qkv[i] += w.qkv_bias[i];
  const auto head_at = [&](uint32_t head) {
    return std::span<const float>(qkv).subspan(size_t{head} * head_dim,
                                               head_dim);
  };
  // [k = RmsNorm(k)]; store Rotate(k) and v, quantised, of each KV head.
  for (uint32_t kv_head = 0; kv_head < config_.num_kv_heads; ++kv_head) {
    const auto key = head_at(config_.num_heads + kv_head);
    const Floats normed_key = w.k_norm.empty()
                                  ? Floats(key.begin(), key.end())
                                  : Norm(key, w.k_norm, config_.norm_eps);
    cache_[layer][kv_head].push_back(QuantizeKeyValue(
        Rotate(layer, normed_key, position_),
        head_at(config_.num_heads + config_.num_kv_heads + kv_head)));
  }
  // [q = RmsNorm(q)]; o = what each query head sees, side by side: [q_dim].
  Floats o;
  for (uint32_t head = 0; head < config_.num_heads; ++head) {
    const auto query = head_at(head);
    const Floats normed_query = w.q_norm.empty()
                                    ? Floats(query.begin(), query.end())
                                    : Norm(query, w.q_norm, config_.norm_eps);
    const uint32_t kv_head = head / (config_.num_heads / config_.num_kv_heads);
    const Floats seen = AttendHead(layer, kv_head, normed_query);
    o.insert(o.end(), seen.begin(), seen.end());
  }
  Report(layer, "o", o);
  // a = W_out o: [dim].
  Floats a = MultiplyQuantized(w.attn_out, o);
  Report(layer, "attention", a);
  return a;
}

// h: [dim], normed. Returns W_down Gate(W_gate h, W_up h): [dim].
Floats ReferenceForward::FeedForward(uint32_t layer, const Floats& h) {
  const LayerWeights& w = model_.layer(layer);
  const uint32_t ffn_dim = config_.ffn_dim;
  // g, u = W_gate_up h: [2, ffn_dim].
  const Floats gate_up = MultiplyQuantized(w.gate_up, h);
  Report(layer, "gate_up", gate_up);
  // SwiGlu(g, u), or GeGlu(g, u): [ffn_dim].
  const auto apply_gate = config_.activation == Activation::kGeluTanh
                              ? reference::GeGlu
                              : reference::SwiGlu;
  Floats gated(ffn_dim);
  apply_gate(gate_up.data(), gate_up.data() + ffn_dim, ffn_dim, gated.data());
  Report(layer, "gated", gated);
  Floats a = MultiplyQuantized(w.ffn_down, gated);
  Report(layer, "feed_forward", a);
  return a;
}

ReferenceForward::KeyValue ReferenceForward::QuantizeKeyValue(
    std::span<const float> rotated_key, std::span<const float> value) const {
  const uint32_t head_dim = config_.head_dim;
  Quantized v(value, head_dim);
  KeyValue out = {{}, std::move(v.values), 0, v.scales[0]};
  if (config_.key_width == KeyWidth::k15Bits) {
    std::vector<int8_t> high(head_dim), low(head_dim);
    reference::QuantizeWideKey(rotated_key.data(), head_dim, high.data(),
                               low.data(), &out.key_scale);
    for (uint32_t d = 0; d < head_dim; ++d) {
      out.key.push_back(128 * high[d] + low[d]);
    }
  } else {
    const Quantized k(rotated_key, head_dim);
    out.key.assign(k.values.begin(), k.values.end());
    out.key_scale = k.scales[0];
  }
  return out;
}

ReferenceForward::Visible ReferenceForward::VisiblePositions(
    uint32_t layer, uint32_t kv_head) const {
  const uint64_t p = position_;
  if (config_.is_local(layer) && config_.local_positions <= window_positions_) {
    // A local layer sees the last positions and nothing else.
    const uint64_t size = config_.local_positions;
    return {0, p + 1 > size ? p + 1 - size : 0, p};
  }
  // The sinks, positions 0 to 3, and the last W positions. What lies between
  // them is hidden; the sinks stay just outside the window.
  const uint64_t size = config_.HeadWindow(window_positions_, layer, kv_head);
  return {std::min<uint64_t>(kNumSinks, p + 1),
          std::max<uint64_t>(kNumSinks, p + 1 > size ? p + 1 - size : 0),
          std::min<uint64_t>(p, kNumSinks + size - 1)};
}

Floats ReferenceForward::AttendHead(uint32_t layer, uint32_t kv_head,
                                    std::span<const float> q) const {
  const uint32_t head_dim = config_.head_dim;
  const Visible visible = VisiblePositions(layer, kv_head);
  const Quantized sink_query(Rotate(layer, q, visible.sink_query_position),
                             head_dim);
  const Quantized query(Rotate(layer, q, position_), head_dim);
  const float divisor = config_.score_divisor != 0
                            ? config_.score_divisor
                            : std::sqrt(static_cast<float>(head_dim));
  const float factor = kLog2E / divisor;

  // scores[j] = (float(q . k_j) * scale_k_j) * (scale_q * factor), in powers of
  // two: [num_visible].
  std::vector<const KeyValue*> seen;
  Floats scores, value_scales;
  const auto score = [&](const Quantized& from, uint64_t begin, uint64_t end) {
    for (uint64_t j = begin; j < end; ++j) {
      const KeyValue& entry = cache_[layer][kv_head][static_cast<size_t>(j)];
      int32_t dot = 0;
      for (uint32_t d = 0; d < head_dim; ++d) {
        dot += from.values[d] * entry.key[d];
      }
      scores.push_back((static_cast<float>(dot) * entry.key_scale) *
                       (from.scales[0] * factor));
      value_scales.push_back(entry.value_scale);
      seen.push_back(&entry);
    }
  };
  score(sink_query, 0, visible.sinks_end);
  score(query, visible.begin, position_ + 1);
  const auto num_visible = static_cast<uint32_t>(scores.size());
  if (config_.score_cap != 0) {
    reference::SoftCap(config_.score_cap * kLog2E, num_visible, scores.data());
  }

  // Integer weights of 14 bits in two halves: the softmax times the scales of
  // the values.
  std::vector<uint8_t> high(num_visible), low(num_visible);
  const float scale = reference::AttentionWeights(
      scores.data(), value_scales.data(), num_visible, high.data(), low.data());

  // y[d] = the weighted sum of the values: [head_dim].
  std::vector<int32_t> high_sums(head_dim), low_sums(head_dim);
  for (uint32_t j = 0; j < num_visible; ++j) {
    for (uint32_t d = 0; d < head_dim; ++d) {
      high_sums[d] += high[j] * seen[j]->value[d];
      low_sums[d] += low[j] * seen[j]->value[d];
    }
  }
  Floats y(head_dim);
  reference::JoinValueSums(high_sums.data(), low_sums.data(), scale, head_dim,
                           y.data());
  return y;
}

Floats ReferenceForward::Rotate(uint32_t layer, std::span<const float> head,
                                uint64_t position) const {
  const uint32_t half = config_.head_dim / 2;
  Floats cos(half), sin(half), rotated(config_.head_dim);
  ComputeRopeRow(
      config_.is_local(layer) ? model_.local_rope_steps() : model_.rope_steps(),
      position, cos.data(), sin.data());
  RotateHead(head.data(), {cos.data(), sin.data()}, config_.head_dim,
             rotated.data());
  return rotated;
}

}  // namespace llma
