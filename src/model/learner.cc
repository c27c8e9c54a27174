// SPDX-License-Identifier: Apache-2.0
#include "model/learner.h"

#include <algorithm>
#include <cmath>

#include "numerics/reference_ops.h"

namespace llma {
namespace {

// Rates of a step: of matrices a and b, and of norms.
constexpr float kRateA = 0x1.0624dep-11f;     // 0.0005
constexpr float kRateB = 0x1.0624dep-7f;      // 0.008
constexpr float kRateNorm = 0x1.3a92a3p-12f;  // 0.0003
// The first steps are shorter: a quarter, a half, three quarters. And all get
// shorter with their number n, by the root of 1 + n / 2.
constexpr float kFirstRate = 0.25f;
constexpr float kRateDecay = 0.5f;
// What weights are clamped to.
constexpr float kLargestUpdate = 16.0f;
constexpr float kLargestNorm = 0x1p+16f;

// Columns of a gradient that a task gathers.
constexpr uint32_t kTaskCols = 256;

}  // namespace

void TokenRecords::CopyRow(TokenRecords& from, uint32_t from_row,
                           uint32_t row) {
  for (uint32_t layer = 0; layer < num_layers_; ++layer) {
    std::copy_n(from.middle(layer, from_row), dim_, middle(layer, row));
    SetHeads(layer, row, from.heads(layer, from_row));
  }
  std::copy_n(from.end(from_row), dim_, end(row));
}

void TokenRecords::SetHeads(uint32_t layer, uint32_t row,
                            const QuantizedRows& from) {
  const size_t at = (size_t{layer} * max_rows_ + row) * q_dim_;
  std::copy_n(from.values, q_dim_, heads_.data() + at);
  std::copy_n(from.scales, from.num_groups,
              head_scales_.data() + at / kGroupSize);
  std::copy_n(from.starts, from.num_groups,
              head_starts_.data() + at / kGroupSize);
}

// A thread's: of kPartRows rows.
struct Learner::Scratch {
  explicit Scratch(const ModelConfig& config)
      : values(size_t{kPartRows} * MaxCols(config)),
        scales(values.size() / kGroupSize),
        starts(values.size() / kGroupSize),
        gate_up(size_t{kPartRows} * 2 * config.ffn_dim),
        product(size_t{kPartRows} * std::max(config.dim, config.ffn_dim)),
        row(MaxCols(config)),
        tokens(PaddedTokens(config)) {}
  static uint32_t PaddedTokens(const ModelConfig& config) {
    return (config.num_tokens + kGroupSize - 1) / kGroupSize * kGroupSize;
  }
  static uint32_t MaxCols(const ModelConfig& config) {
    return std::max({config.dim, config.q_dim(), 2 * config.ffn_dim});
  }
  static uint64_t SizeBytes(const ModelConfig& config) {
    const uint64_t rows = kPartRows, cols = MaxCols(config);
    return rows * cols + 8 * rows * cols / kGroupSize +
           sizeof(float) * (rows * (2 * uint64_t{config.ffn_dim} +
                                    std::max(config.dim, config.ffn_dim)) +
                            cols + PaddedTokens(config));
  }
  QuantizedRows View(uint32_t num_rows, uint32_t cols) const {
    return {values.data(), scales.data(), starts.data(),
            num_rows,      cols,          cols / kGroupSize};
  }
  // Row `i` of the view, of `cols` values.
  void Quantize(const KernelTable& kernels, const float* x, uint32_t i,
                uint32_t cols) {
    const size_t at = size_t{i} * cols;
    kernels.quantize_row(x, cols, kGroupSize, values.data() + at,
                         scales.data() + at / kGroupSize,
                         starts.data() + at / kGroupSize);
  }
  void Set(uint32_t i, const QuantizedRows& one) {
    const size_t at = size_t{i} * one.num_cols;
    std::copy_n(one.values, one.num_cols, values.data() + at);
    std::copy_n(one.scales, one.num_groups, scales.data() + at / kGroupSize);
    std::copy_n(one.starts, one.num_groups, starts.data() + at / kGroupSize);
  }
  // What was quantised, as it is multiplied.
  void Expand(uint32_t i, uint32_t cols, float* x) const {
    const int8_t* in = values.data() + size_t{i} * cols;
    const float* scale = scales.data() + size_t{i} * cols / kGroupSize;
    for (uint32_t c = 0; c < cols; ++c) {
      x[c] = static_cast<float>(in[c]) * scale[c / kGroupSize];
    }
  }

  AlignedBuffer<int8_t> values;
  AlignedBuffer<float> scales;
  AlignedBuffer<int32_t> starts;
  AlignedBuffer<float> gate_up, product, row;
  AlignedBuffer<float> tokens;  // of one row
};

Learner::Learner(const Model& model, const KernelTable& kernels,
                 ThreadPool& pool)
    : model_(model),
      config_(model.config()),
      kernels_(kernels),
      learning_(*kernels.learning),
      pool_(pool),
      weights_(model),
      first_moments_(weights_.shape().total_size()),
      second_moments_(weights_.shape().total_size()),
      records_(config_, kMaxRows),
      padded_tokens_(Scratch::PaddedTokens(config_)),
      shares_(size_t{kMaxRows} * padded_tokens_),
      share_scales_(shares_.size() / kGroupSize),
      share_starts_(shares_.size() / kGroupSize),
      outcomes_(kMaxRows),
      gradients_(size_t{kMaxRows} * config_.dim),
      down_gradient_(size_t{kMaxRows} * config_.dim),
      stream_(size_t{kMaxRows} * config_.dim),
      normed_(size_t{kMaxRows} * config_.dim),
      gated_(size_t{kMaxRows} * config_.ffn_dim),
      gate_up_(size_t{kMaxRows} * 2 * config_.ffn_dim),
      mixed_(size_t{kMaxRows} * config_.q_dim()),
      out_gradient_(size_t{kMaxRows} * config_.dim),
      norm_gradient_(size_t{kMaxRows} * config_.dim),
      gate_up_t_(model.layer(0).gate_up, config_.dim),
      down_t_(model.layer(0).ffn_down, config_.ffn_dim),
      head_t_(Head(), kGroupSize) {
  for (auto& rows : downs_)
    rows = AlignedBuffer<float>(kMaxRows * kLearningRank);
  for (auto& rows : ups_) rows = AlignedBuffer<float>(kMaxRows * kLearningRank);
  for (int i = 0; i < pool.num_threads(); ++i) scratch_.emplace_back(config_);
}

Learner::~Learner() = default;

LinearWeights Learner::Head() const {
  LinearWeights head = model_.head();
  head.num_rows = config_.num_tokens;
  return head;
}

Learner::Transposed::Transposed(const LinearWeights& w, uint32_t cols)
    : num_rows((w.num_rows + kGroupSize - 1) / kGroupSize * kGroupSize),
      num_cols(cols),
      values(size_t{num_rows} * cols),
      ones(values.size() / kGroupSize),
      largest(num_rows) {
  std::fill_n(ones.data(), ones.size(), 1.0f);
  SetLargest(w);
}

void Learner::Transposed::SetLargest(const LinearWeights& w) {
  for (uint32_t row = 0; row < w.num_rows; ++row) {
    largest[row] = 0;
    for (uint32_t g = 0; g < w.num_groups(); ++g) {
      largest[row] = std::max(largest[row], w.scales[w.scale_idx(row, g)]);
    }
  }
}

uint64_t Learner::Transposed::SizeBytes(uint64_t w_rows, uint64_t cols) {
  const uint64_t rows = (w_rows + kGroupSize - 1) / kGroupSize * kGroupSize;
  return rows * cols + rows * cols / kGroupSize * sizeof(float) +
         rows * sizeof(float);
}

void Learner::Transpose(const LinearWeights& w, uint32_t first_col,
                        Transposed& out) {
  const LinearWeights to = out.view();
  const size_t stride = size_t{kPanelRows} * out.num_rows;
  pool_.ParallelFor(w.num_panels(), [&](size_t panel) {
    const auto row = static_cast<uint32_t>(panel) * kPanelRows;
    for (uint32_t c = 0; c < out.num_cols; c += kGroupSize) {
      const float* scales =
          w.scales + w.scale_idx(row, (first_col + c) / kGroupSize);
      float factors[kPanelRows];
      for (uint32_t i = 0; i < kPanelRows; ++i) {
        const float largest = out.largest[row + i];
        factors[i] = largest > 0.0f ? scales[i] / largest : 0.0f;
      }
      learning_.transpose_group(w.values + w.value_idx(row, first_col + c),
                                factors, stride,
                                out.values.data() + to.value_idx(c, row));
    }
  });
}

void Learner::MultiplyTransposed(const Transposed& w, const float* dy,
                                 uint32_t num_rows, float* dx,
                                 Scratch& scratch) {
  const uint32_t rows = w.num_rows;
  for (uint32_t t = 0; t < num_rows; ++t) {
    const float* from = dy + size_t{t} * rows;
    for (uint32_t r = 0; r < rows; ++r) {
      scratch.row[r] = from[r] * w.largest[r];
    }
    scratch.Quantize(kernels_, scratch.row.data(), t, rows);
  }
  const LinearWeights view = w.view();
  kernels_.matmul(view, 0, view.num_panels(), scratch.View(num_rows, rows), dx,
                  w.num_cols);
}

void Learner::SetOutcome(uint32_t row, const uint32_t* weights, uint64_t sum,
                         uint32_t token, int thread_idx) {
  Scratch& scratch = scratch_[static_cast<size_t>(thread_idx)];
  float* values = scratch.tokens.data();  // zeros after the last token
  for (uint32_t v = 0; v < config_.num_tokens; ++v) {
    values[v] = static_cast<float>(weights[v]) * head_t_.largest[v];
  }
  const size_t at = size_t{row} * padded_tokens_;
  float* scales = share_scales_.data() + at / kGroupSize;
  kernels_.quantize_row(values, padded_tokens_, kGroupSize, shares_.data() + at,
                        scales, share_starts_.data() + at / kGroupSize);
  const float inverse = 1.0f / static_cast<float>(sum);
  for (uint32_t g = 0; g < padded_tokens_ / kGroupSize; ++g) {
    scales[g] *= inverse;
  }
  outcomes_[row] = token;
}

// The gradient of a token's cost by what the head got: its rows, as probable as
// their tokens were, less that of the token that came.
void Learner::SetGradients(std::span<const uint32_t> rows) {
  const LinearWeights head = Head();
  const uint32_t num_groups = padded_tokens_ / kGroupSize;
  // Some of these rows may be of no use, and be from earlier.
  std::vector<uint32_t> parts;
  for (const uint32_t row : rows) {
    const uint32_t part = row / kPartRows;
    if (parts.empty() || parts.back() != part) parts.push_back(part);
  }
  for (uint32_t c = 0; c < config_.dim; c += kGroupSize) {
    // One group at a time, for memory.
    Transpose(head, c, head_t_);
    const LinearWeights columns = head_t_.view();
    pool_.ParallelFor(parts.size(), [&](size_t i) {
      const size_t first = size_t{parts[i]} * kPartRows;
      const size_t at = first * padded_tokens_;
      kernels_.matmul(
          columns, 0, columns.num_panels(),
          {shares_.data() + at, share_scales_.data() + at / kGroupSize,
           share_starts_.data() + at / kGroupSize, kPartRows, padded_tokens_,
           num_groups},
          gradients_.data() + first * config_.dim + c, config_.dim);
    });
  }
  for (const uint32_t row : rows) {
    float* gradient = gradients_.data() + size_t{row} * config_.dim;
    for (uint32_t c = 0; c < config_.dim; ++c) {
      const int8_t value = head.values[head.value_idx(outcomes_[row], c)];
      gradient[c] -=
          static_cast<float>(value) *
          head.scales[head.scale_idx(outcomes_[row], c / kGroupSize)];
    }
  }
}

void Learner::Step(std::span<const uint32_t> rows) {
  if (rows.empty()) return;
  const auto num_rows = static_cast<uint32_t>(rows.size());
  const uint32_t dim = config_.dim;
  ++num_steps_;
  first_decay_ *= 1.0f - kFirstMomentShare;
  second_decay_ *= 1.0f - kSecondMomentShare;
  const auto number = static_cast<float>(num_steps_);
  const float rate = std::min(1.0f, number * kFirstRate) /
                     std::sqrt(1.0f + number * kRateDecay);
  matrix_step_ = {rate / (1.0f - first_decay_), 1.0f / (1.0f - second_decay_),
                  kLargestUpdate};
  norm_step_ = matrix_step_;
  norm_step_.rate *= kRateNorm;
  norm_step_.largest = kLargestNorm;

  SetGradients(rows);
  const float share = 1.0f / static_cast<float>(num_rows);
  pool_.ParallelFor(num_rows, [&](size_t t) {
    float* gradient = gradients_.data() + size_t{rows[t]} * dim;
    for (uint32_t i = 0; i < dim; ++i) {
      gradient[i] = std::min(std::max(gradient[i] * share, -kLargestGradient),
                             kLargestGradient);
    }
    std::fill_n(stream_.data() + t * dim, dim, 0.0f);
    learning_.rms_norm_backward(records_.end(rows[t]),
                                weights_.output_norm().data(), gradient, dim,
                                config_.norm_eps, stream_.data() + t * dim,
                                norm_gradient_.data() + t * dim);
  });
  MoveNorm(weights_.shape().output_norm_begin(), num_rows);
  for (uint32_t layer = config_.num_layers; layer-- > 0;) {
    StepLayer(layer, rows);
  }
}

void Learner::StepLayer(uint32_t layer, std::span<const uint32_t> rows) {
  const LayerWeights& w = model_.layer(layer);
  gate_up_t_.SetLargest(w.gate_up);
  Transpose(w.gate_up, 0, gate_up_t_);
  down_t_.SetLargest(w.ffn_down);
  Transpose(w.ffn_down, 0, down_t_);
  const auto num_rows = static_cast<uint32_t>(rows.size());
  pool_.ParallelFor(
      (num_rows + kPartRows - 1) / kPartRows, [&](size_t part, int thread_idx) {
        const auto begin = static_cast<uint32_t>(part) * kPartRows;
        BackThroughLayer(layer, rows, begin,
                         std::min(begin + kPartRows, num_rows), thread_idx);
      });
  MoveLayer(layer, num_rows);
  MoveNorm(weights_.shape().layer_begin(layer) + weights_.shape().norm_begin(),
           num_rows);
}

void Learner::BackThroughLayer(uint32_t layer, std::span<const uint32_t> rows,
                               uint32_t begin, uint32_t end, int thread_idx) {
  const LayerWeights& w = model_.layer(layer);
  Scratch& scratch = scratch_[static_cast<size_t>(thread_idx)];
  const uint32_t dim = config_.dim, ffn_dim = config_.ffn_dim;
  const uint32_t q_dim = config_.q_dim();
  const uint32_t count = end - begin;
  const auto low_rank = [&](AlignedBuffer<float>(&buffers)[kNumLearnedMatrices],
                            LearnedMatrix matrix, uint32_t t) {
    return buffers[static_cast<size_t>(matrix)].data() +
           size_t{begin + t} * kLearningRank;
  };
  const bool is_gelu = config_.activation == Activation::kGeluTanh;
  const float* norm = weights_.ffn_norm(layer).data();
  const LowRank gate_up = weights_.update(layer, LearnedMatrix::kGateUp);
  const LowRank down = weights_.update(layer, LearnedMatrix::kDown);
  const LowRank out = weights_.update(layer, LearnedMatrix::kAttentionOut);

  // Forward again: h, and g and u.
  for (uint32_t t = 0; t < count; ++t) {
    kernels_.rms_norm(records_.middle(layer, rows[begin + t]), norm, dim,
                      config_.norm_eps, scratch.row.data());
    scratch.Quantize(kernels_, scratch.row.data(), t, dim);
    scratch.Expand(t, dim, normed_.data() + size_t{begin + t} * dim);
  }
  kernels_.matmul(w.gate_up, 0, w.gate_up.num_panels(),
                  scratch.View(count, dim), scratch.gate_up.data(),
                  2 * ffn_dim);
  for (uint32_t t = 0; t < count; ++t) {
    float* u = low_rank(downs_, LearnedMatrix::kGateUp, t);
    learning_.low_rank_down(gate_up.a, dim,
                            normed_.data() + size_t{begin + t} * dim, u);
    learning_.add_low_rank(gate_up.b, 2 * ffn_dim, u, 2 * ffn_dim,
                           scratch.gate_up.data() + size_t{t} * 2 * ffn_dim);
  }
  // What the gates let through.
  for (uint32_t t = 0; t < count; ++t) {
    const float* g = scratch.gate_up.data() + size_t{t} * 2 * ffn_dim;
    (is_gelu ? kernels_.geglu : kernels_.swiglu)(g, g + ffn_dim, ffn_dim,
                                                 scratch.row.data());
    scratch.Quantize(kernels_, scratch.row.data(), t, ffn_dim);
    float* gated = gated_.data() + size_t{begin + t} * ffn_dim;
    scratch.Expand(t, ffn_dim, gated);
    learning_.low_rank_down(down.a, ffn_dim, gated,
                            low_rank(downs_, LearnedMatrix::kDown, t));
  }
  // The gradient of what W_down gave.
  float* d = stream_.data() + size_t{begin} * dim;
  float* down_gradient = down_gradient_.data() + size_t{begin} * dim;
  if (w.post_ffn_norm.empty()) {
    std::copy_n(d, size_t{count} * dim, down_gradient);
  } else {
    kernels_.matmul(w.ffn_down, 0, w.ffn_down.num_panels(),
                    scratch.View(count, ffn_dim), scratch.product.data(), dim);
    std::fill_n(down_gradient, size_t{count} * dim, 0.0f);
    for (uint32_t t = 0; t < count; ++t) {
      float* y = scratch.product.data() + size_t{t} * dim;
      learning_.add_low_rank(down.b, dim,
                             low_rank(downs_, LearnedMatrix::kDown, t), dim, y);
      learning_.rms_norm_backward(
          y, w.post_ffn_norm.data(), d + size_t{t} * dim, dim, config_.norm_eps,
          down_gradient + size_t{t} * dim, scratch.row.data());
    }
  }
  // Back through W_down and the gates.
  MultiplyTransposed(down_t_, down_gradient, count, scratch.product.data(),
                     scratch);
  float* gate_up_gradient = gate_up_.data() + size_t{begin} * 2 * ffn_dim;
  for (uint32_t t = 0; t < count; ++t) {
    float* dy = scratch.product.data() + size_t{t} * ffn_dim;
    float* e = low_rank(ups_, LearnedMatrix::kDown, t);
    learning_.low_rank_down(down.b, dim, down_gradient + size_t{t} * dim, e);
    learning_.add_low_rank(down.a, ffn_dim, e, ffn_dim, dy);
    const float* g = scratch.gate_up.data() + size_t{t} * 2 * ffn_dim;
    float* dg = gate_up_gradient + size_t{t} * 2 * ffn_dim;
    (is_gelu ? learning_.geglu_backward : learning_.swiglu_backward)(
        g, g + ffn_dim, dy, ffn_dim, dg, dg + ffn_dim);
  }
  // Back through W_gate_up and the norm.
  MultiplyTransposed(gate_up_t_, gate_up_gradient, count,
                     scratch.product.data(), scratch);
  for (uint32_t t = 0; t < count; ++t) {
    float* dh = scratch.product.data() + size_t{t} * dim;
    float* e = low_rank(ups_, LearnedMatrix::kGateUp, t);
    learning_.low_rank_down(gate_up.b, 2 * ffn_dim,
                            gate_up_gradient + size_t{t} * 2 * ffn_dim, e);
    learning_.add_low_rank(gate_up.a, dim, e, dim, dh);
    learning_.rms_norm_backward(
        records_.middle(layer, rows[begin + t]), norm, dh, dim,
        config_.norm_eps, d + size_t{t} * dim,
        norm_gradient_.data() + size_t{begin + t} * dim);
  }
  // W_out's update.
  for (uint32_t t = 0; t < count; ++t) {
    scratch.Set(t, records_.heads(layer, rows[begin + t]));
    float* mixed = mixed_.data() + size_t{begin + t} * q_dim;
    scratch.Expand(t, q_dim, mixed);
    learning_.low_rank_down(out.a, q_dim, mixed,
                            low_rank(downs_, LearnedMatrix::kAttentionOut, t));
  }
  if (!w.post_attn_norm.empty()) {
    kernels_.matmul(w.attn_out, 0, w.attn_out.num_panels(),
                    scratch.View(count, q_dim), scratch.product.data(), dim);
  }
  for (uint32_t t = 0; t < count; ++t) {
    float* out_gradient = out_gradient_.data() + size_t{begin + t} * dim;
    if (w.post_attn_norm.empty()) {
      std::copy_n(d + size_t{t} * dim, dim, out_gradient);
    } else {
      float* y = scratch.product.data() + size_t{t} * dim;
      learning_.add_low_rank(out.b, dim,
                             low_rank(downs_, LearnedMatrix::kAttentionOut, t),
                             dim, y);
      std::fill_n(out_gradient, dim, 0.0f);
      learning_.rms_norm_backward(y, w.post_attn_norm.data(),
                                  d + size_t{t} * dim, dim, config_.norm_eps,
                                  out_gradient, scratch.row.data());
    }
    learning_.low_rank_down(out.b, dim, out_gradient,
                            low_rank(ups_, LearnedMatrix::kAttentionOut, t));
  }
}

void Learner::MoveLayer(uint32_t layer, uint32_t num_rows) {
  const LearnedShape& shape = weights_.shape();
  struct Factor {
    const float* by_rank;  // [row, kLearningRank]
    const float* by_col;   // [row, cols]
    uint32_t cols;
    size_t begin;  // of its weights
    float rate;
  };
  std::vector<Factor> factors;
  const auto add = [&](LearnedMatrix matrix, const float* x, const float* dy) {
    const size_t i = static_cast<size_t>(matrix);
    const size_t begin = shape.layer_begin(layer);
    factors.push_back({ups_[i].data(), x, shape.size(matrix).cols,
                       begin + shape.a_begin(matrix), kRateA});
    factors.push_back({downs_[i].data(), dy, shape.size(matrix).rows,
                       begin + shape.b_begin(matrix), kRateB});
  };
  add(LearnedMatrix::kAttentionOut, mixed_.data(), out_gradient_.data());
  add(LearnedMatrix::kGateUp, normed_.data(), gate_up_.data());
  add(LearnedMatrix::kDown, gated_.data(), down_gradient_.data());

  struct Task {
    const Factor* factor;
    uint32_t col;
  };
  std::vector<Task> tasks;
  for (const Factor& factor : factors) {
    for (uint32_t col = 0; col < factor.cols; col += kTaskCols) {
      tasks.push_back({&factor, col});
    }
  }
  pool_.ParallelFor(tasks.size(), [&](size_t i) {
    const auto& [factor, col] = tasks[i];
    const uint32_t cols = std::min(kTaskCols, factor->cols - col);
    alignas(64) float gradient[kLearningRank * kTaskCols] = {};
    learning_.add_outer(factor->by_rank, factor->by_col + col, factor->cols,
                        num_rows, cols, gradient, kTaskCols);
    AdamStep step = matrix_step_;
    step.rate *= factor->rate;
    for (uint32_t k = 0; k < kLearningRank; ++k) {
      const size_t at = factor->begin + size_t{k} * factor->cols + col;
      learning_.move_weights(step, gradient + size_t{k} * kTaskCols, cols,
                             first_moments_.data() + at,
                             second_moments_.data() + at, weights_.data() + at);
    }
  });
}

void Learner::MoveNorm(size_t begin, uint32_t num_rows) {
  float* gradient = scratch_[0].row.data();
  std::fill_n(gradient, config_.dim, 0.0f);
  for (uint32_t t = 0; t < num_rows; ++t) {
    const float* row = norm_gradient_.data() + size_t{t} * config_.dim;
    for (uint32_t i = 0; i < config_.dim; ++i) gradient[i] += row[i];
  }
  learning_.move_weights(
      norm_step_, gradient, config_.dim, first_moments_.data() + begin,
      second_moments_.data() + begin, weights_.data() + begin);
}

uint64_t Learner::SizeBytes(const ModelConfig& config, int num_threads) {
  const uint64_t weights = LearnedShape(config).total_size();
  const uint64_t rows = kMaxRows;
  const uint64_t dim = config.dim, ffn_dim = config.ffn_dim;
  return sizeof(float) *
             (3 * weights + rows * (6 * dim + 3 * ffn_dim + config.q_dim() +
                                    2 * kNumLearnedMatrices * kLearningRank)) +
         TokenRecords::SizeBytes(config, kMaxRows) +
         // Predictions.
         rows * Scratch::PaddedTokens(config) * (kGroupSize + 8) / kGroupSize +
         Transposed::SizeBytes(config.num_tokens, kGroupSize) +
         Transposed::SizeBytes(2 * ffn_dim, dim) +
         Transposed::SizeBytes(dim, ffn_dim) +
         static_cast<uint64_t>(num_threads) * Scratch::SizeBytes(config);
}

}  // namespace llma
