// SPDX-License-Identifier: Apache-2.0
#include "importer/measure/float_model.h"

#include <algorithm>
#include <cmath>

#include "base/vector_size.h"

namespace llma {
namespace {

constexpr uint32_t kRowsPerTask = 64;
constexpr double kTwoPi = 6.283185307179586;

float Gate(float x, Activation activation) {
  if (activation == Activation::kSilu) return x / (1 + std::exp(-x));
  const float z = 0.7978845608f * (x + 0.044715f * x * x * x);
  return x * 0.5f * (1 + std::tanh(z));
}

float Cap(float x, float cap) {
  return cap == 0 ? x : cap * std::tanh(x / cap);
}

}  // namespace

FloatModel::FloatModel(const Model& model, ThreadPool& pool)
    : model_(model), config_(model.config()), pool_(pool) {}

Status FloatModel::AddFloats(std::span<const float> values) {
  floats_.emplace_back(values.begin(), values.end());
  return OkStatus();
}

Status FloatModel::BeginMatrix(uint32_t num_rows, uint32_t num_cols) {
  Matrix& matrix = matrices_.emplace_back();
  matrix.num_rows = num_rows;
  matrix.num_cols = num_cols;
  matrix.values.resize(VectorSize<float>(uint64_t{num_rows} * num_cols));
  return OkStatus();
}

Status FloatModel::SetRow(uint32_t row_idx, std::span<const float> row) {
  Matrix& matrix = matrices_.back();
  LLMA_ENSURE(row_idx < matrix.num_rows && row.size() == matrix.num_cols);
  std::copy(row.begin(), row.end(),
            matrix.values.begin() +
                static_cast<ptrdiff_t>(size_t{row_idx} * matrix.num_cols));
  return OkStatus();
}

FloatModel::Floats FloatModel::Multiply(const Matrix& w,
                                        const Floats& x) const {
  const size_t n = num_positions_;
  Floats y(VectorSize<float>(uint64_t{w.num_rows} * n));
  const size_t num_tasks = (w.num_rows + kRowsPerTask - 1) / kRowsPerTask;
  pool_.ParallelFor(num_tasks, [&](size_t task) {
    const size_t end = std::min<size_t>(w.num_rows, (task + 1) * kRowsPerTask);
    for (size_t row = task * kRowsPerTask; row < end; ++row) {
      float* out = &y[row * n];
      for (size_t col = 0; col < w.num_cols; ++col) {
        const float weight = w.values[row * w.num_cols + col];
        const float* in = &x[col * n];
        for (size_t i = 0; i < n; ++i) out[i] += weight * in[i];
      }
    }
  });
  return y;
}

void FloatModel::Norm(const Floats& weight, Floats& x, uint32_t first,
                      uint32_t size) const {
  const size_t n = num_positions_;
  for (size_t i = 0; i < n; ++i) {
    double sum = 0;
    for (size_t f = 0; f < size; ++f) {
      const double value = x[(first + f) * n + i];
      sum += value * value;
    }
    const auto inverse =
        static_cast<float>(1 / std::sqrt(sum / size + config_.norm_eps));
    for (size_t f = 0; f < size; ++f) {
      x[(first + f) * n + i] *= inverse * weight[f];
    }
  }
}

void FloatModel::Rotate(std::span<const uint64_t> steps, Floats& x,
                        uint32_t first) const {
  const size_t n = num_positions_, half = steps.size();
  for (size_t pair = 0; pair < half; ++pair) {
    float* a = &x[(first + pair) * n];
    float* b = &x[(first + pair + half) * n];
    for (size_t i = 0; i < n; ++i) {
      const double angle =
          static_cast<double>(steps[pair] * i) * 0x1p-64 * kTwoPi;
      const auto c = static_cast<float>(std::cos(angle));
      const auto s = static_cast<float>(std::sin(angle));
      const float left = a[i], right = b[i];
      a[i] = left * c - right * s;
      b[i] = right * c + left * s;
    }
  }
}

void FloatModel::Attend(uint32_t head, bool is_local, const Floats& qkv,
                        Floats& out) const {
  const size_t n = num_positions_, dim = config_.head_dim;
  const size_t kv_head = head / (config_.num_heads / config_.num_kv_heads);
  const float* q = &qkv[size_t{head} * dim * n];
  const float* k = &qkv[(config_.q_dim() + kv_head * dim) * n];
  const float* v = k + size_t{config_.kv_dim()} * n;
  const float divisor = config_.score_divisor != 0
                            ? config_.score_divisor
                            : std::sqrt(static_cast<float>(dim));
  Floats p(n);
  for (size_t i = 0; i < n; ++i) {
    const size_t first = is_local && i >= config_.local_positions
                             ? i - config_.local_positions + 1
                             : 0;
    std::fill(p.begin(), p.end(), 0.0f);
    for (size_t d = 0; d < dim; ++d) {
      for (size_t j = first; j <= i; ++j) p[j] += q[d * n + i] * k[d * n + j];
    }
    float max = -INFINITY, total = 0;
    for (size_t j = first; j <= i; ++j) {
      p[j] = Cap(p[j] / divisor, config_.score_cap);
      max = std::max(max, p[j]);
    }
    for (size_t j = first; j <= i; ++j) total += p[j] = std::exp(p[j] - max);
    for (size_t d = 0; d < dim; ++d) {
      float sum = 0;
      for (size_t j = first; j <= i; ++j) sum += p[j] * v[d * n + j];
      out[(head * dim + d) * n + i] = sum / total;
    }
  }
}

void FloatModel::AttentionLayer(uint32_t layer, Floats& x) {
  const bool is_local = config_.is_local(layer);
  Floats h = x;
  Norm(NextFloats(), h, 0, config_.dim);
  Floats qkv = Multiply(NextMatrix(), h);
  if (config_.has_qkv_bias) {
    const Floats& bias = NextFloats();
    for (size_t i = 0; i < qkv.size(); ++i) qkv[i] += bias[i / num_positions_];
  }
  const Floats* q_norm = config_.has_qk_norm ? &NextFloats() : nullptr;
  const Floats* k_norm = config_.has_qk_norm ? &NextFloats() : nullptr;
  for (uint32_t i = 0; i < config_.num_heads + config_.num_kv_heads; ++i) {
    const uint32_t first = i * config_.head_dim;
    if (q_norm != nullptr) {
      Norm(i < config_.num_heads ? *q_norm : *k_norm, qkv, first,
           config_.head_dim);
    }
    Rotate(is_local ? model_.local_rope_steps() : model_.rope_steps(), qkv,
           first);
  }
  Floats heads(config_.q_dim() * num_positions_);
  pool_.ParallelFor(config_.num_heads, [&](size_t head) {
    Attend(static_cast<uint32_t>(head), is_local, qkv, heads);
  });
  Floats delta = Multiply(NextMatrix(), heads);
  if (config_.has_post_norms) Norm(NextFloats(), delta, 0, config_.dim);
  for (size_t i = 0; i < x.size(); ++i) x[i] += delta[i];
}

void FloatModel::FeedForwardLayer(Floats& x) {
  Floats h = x;
  Norm(NextFloats(), h, 0, config_.dim);
  Floats gate_up = Multiply(NextMatrix(), h);
  const size_t size = gate_up.size() / 2;
  for (size_t i = 0; i < size; ++i) {
    gate_up[i] = Gate(gate_up[i], config_.activation) * gate_up[size + i];
  }
  Floats delta = Multiply(NextMatrix(), gate_up);
  if (config_.has_post_norms) Norm(NextFloats(), delta, 0, config_.dim);
  for (size_t i = 0; i < x.size(); ++i) x[i] += delta[i];
}

// The head's rows in pieces: all logits at once may be gigabytes.
double FloatModel::LogitBits(const Matrix& head, const Floats& x,
                             std::span<const uint32_t> targets) const {
  const size_t n = num_positions_;
  std::vector<double> max(n, -INFINITY), total(n), chosen(n);
  constexpr uint32_t kPieceRows = 4096;
  for (uint32_t begin = 0; begin < config_.num_tokens; begin += kPieceRows) {
    Matrix piece;
    piece.num_rows = std::min(kPieceRows, config_.num_tokens - begin);
    piece.num_cols = head.num_cols;
    const float* from = &head.values[size_t{begin} * head.num_cols];
    piece.values.assign(from, from + size_t{piece.num_rows} * head.num_cols);
    const Floats logits = Multiply(piece, x);
    for (size_t row = 0; row < piece.num_rows; ++row) {
      for (size_t i = 0; i < n; ++i) {
        const double logit = Cap(logits[row * n + i], config_.logit_cap);
        if (logit > max[i]) {
          total[i] *= std::exp(max[i] - logit);
          max[i] = logit;
        }
        total[i] += std::exp(logit - max[i]);
        if (begin + row == targets[i]) chosen[i] = logit;
      }
    }
  }
  double bits = 0;
  for (size_t i = 0; i < n; ++i) {
    bits += std::log2(total[i]) + (max[i] - chosen[i]) / std::log(2.0);
  }
  return bits;
}

double FloatModel::Bits(std::span<const uint32_t> fed) {
  num_positions_ = fed.size() - 1;
  next_floats_ = next_matrix_ = 0;
  const Floats& output_norm = NextFloats();
  const Matrix& embedding = NextMatrix();
  const Matrix& head = config_.tied_head ? embedding : NextMatrix();
  Floats x(config_.dim * num_positions_);
  for (size_t f = 0; f < config_.dim; ++f) {
    for (size_t i = 0; i < num_positions_; ++i) {
      x[f * num_positions_ + i] =
          embedding.values[size_t{fed[i]} * config_.dim + f] *
          config_.embedding_scale;
    }
  }
  for (uint32_t layer = 0; layer < config_.num_layers; ++layer) {
    AttentionLayer(layer, x);
    FeedForwardLayer(x);
  }
  Norm(output_norm, x, 0, config_.dim);
  return LogitBits(head, x, fed.subspan(1));
}

}  // namespace llma
