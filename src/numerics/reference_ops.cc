// SPDX-License-Identifier: Apache-2.0
#include "numerics/reference_ops.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/fp_env.h"
#include "base/status.h"
#include "numerics/exact_math.h"

namespace llma::reference {

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts) {
  for (uint32_t g = 0; g < num_cols / group_size; ++g) {
    const float* in = x + size_t{g} * group_size;
    int8_t* out = values + size_t{g} * group_size;
    float largest = 0.0f;
    for (uint32_t i = 0; i < group_size; ++i) {
      largest = std::max(largest, std::fabs(in[i]));
    }
    const bool is_zero = largest < kSmallestMagnitude;
    scales[g] = is_zero ? 0.0f : largest / 127.0f;
    const float inverse = is_zero ? 0.0f : 127.0f / largest;
    int32_t sum = 0;
    for (uint32_t i = 0; i < group_size; ++i) {
      out[i] = static_cast<int8_t>(RoundToEven(in[i] * inverse));
      sum += out[i];
    }
    starts[g] = -128 * sum;
  }
}

void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride) {
  for (uint32_t i = 0; i < x.num_rows; ++i) {
    const int8_t* x_row = x.values + size_t{i} * x.num_cols;
    for (uint32_t row = panel_begin * kPanelRows; row < panel_end * kPanelRows;
         ++row) {
      // W[row, c] is w_row[c / 4 * 64 + c % 4].
      const int8_t* w_row = w.values + w.value_idx(row, 0);
      float sum = 0.0f;
      for (uint32_t g = 0; g < w.num_groups(); ++g) {
        int32_t dot = 0;
        for (uint32_t c = g * kGroupSize; c < (g + 1) * kGroupSize; c += 4) {
          const int8_t* quad = w_row + size_t{c} * kPanelRows;
          dot += quad[0] * x_row[c] + quad[1] * x_row[c + 1] +
                 quad[2] * x_row[c + 2] + quad[3] * x_row[c + 3];
        }
        const float scaled =
            static_cast<float>(dot) * w.scales[w.scale_idx(row, g)];
        sum += scaled * x.scales[size_t{i} * x.num_groups + g];
      }
      y[i * y_stride + row] = sum;
    }
  }
}

void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y) {
  float partial[16] = {};
  for (uint32_t i = 0; i < dim; ++i) partial[i % 16] += x[i] * x[i];
  for (uint32_t half = 8; half > 0; half /= 2) {
    for (uint32_t i = 0; i < half; ++i) partial[i] += partial[i + half];
  }
  const float mean = partial[0] / static_cast<float>(dim);
  const float inverse = 1.0f / std::sqrt(mean + eps);
  for (uint32_t i = 0; i < dim; ++i) y[i] = (x[i] * inverse) * weight[i];
}

void SwiGlu(const float* gate, const float* up, uint32_t size, float* y) {
  for (uint32_t i = 0; i < size; ++i) {
    const float g = gate[i];
    const float e = Exp2NonPositive(-(std::fabs(g) * kLog2E));
    // sigmoid(g) = 1 / (1 + e^-g) = e^g / (1 + e^g)
    const float numerator = g >= 0.0f ? g : g * e;
    const float gated = (numerator / (1.0f + e)) * up[i];
    y[i] = std::min(std::max(gated, -kLargestGated), kLargestGated);
  }
}

void GeGlu(const float* gate, const float* up, uint32_t size, float* y) {
  for (uint32_t i = 0; i < size; ++i) {
    const float g = gate[i];
    const float a = std::min(std::fabs(g), kLargestGeluInput);
    const float t = a * (kGeluCoefficients[0] + kGeluCoefficients[1] * (a * a));
    const float e = Exp2NonPositive(-t);
    const float numerator = g >= 0.0f ? g : g * e;
    const float gated = (numerator / (1.0f + e)) * up[i];
    y[i] = std::min(std::max(gated, -kLargestGated), kLargestGated);
  }
}

void SoftCap(float cap, uint32_t size, float* x) {
  // tanh(|y|) = (1 - e^-2|y|) / (1 + e^-2|y|)
  const float factor = (2.0f * kLog2E) / cap;
  for (uint32_t i = 0; i < size; ++i) {
    const float e = Exp2NonPositive(-(std::fabs(x[i]) * factor));
    const float capped = cap * ((1.0f - e) / (1.0f + e));
    x[i] = x[i] >= 0.0f ? capped : -capped;
  }
}

void QuantizeWideKey(const float* x, uint32_t size, int8_t* high, int8_t* low,
                     float* scale) {
  float largest = 0.0f;
  for (uint32_t i = 0; i < size; ++i) {
    largest = std::max(largest, std::fabs(x[i]));
  }
  const bool is_zero = largest < kSmallestMagnitude;
  *scale = is_zero ? 0.0f : largest / kLargestWideKey;
  const float inverse = is_zero ? 0.0f : kLargestWideKey / largest;
  for (uint32_t i = 0; i < size; ++i) {
    const auto k = static_cast<int32_t>(RoundToEven(x[i] * inverse));
    const int32_t h = (k + 64) >> 7;  // rounds down
    high[i] = static_cast<int8_t>(h);
    low[i] = static_cast<int8_t>(k - 128 * h);
  }
}

void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t scores_stride) {
  LLMA_DCHECK(q.num_cols == keys.head_dim && q.num_groups == 1);
  std::vector<int32_t> key(keys.head_dim);
  for (uint32_t pos = 0; pos < keys.num_panels * kPanelRows; ++pos) {
    for (uint32_t d = 0; d < keys.head_dim; ++d) {
      const size_t idx = size_t{pos / kPanelRows} * kPanelRows * keys.head_dim +
                         size_t{d / kPanelCols} * kPanelRows * kPanelCols +
                         pos % kPanelRows * kPanelCols + d % kPanelCols;
      key[d] = keys.values[idx];
      if (keys.low_values != nullptr) {
        key[d] = 128 * key[d] + keys.low_values[idx];
      }
    }
    for (uint32_t i = 0; i < q.num_rows; ++i) {
      int32_t dot = 0;
      for (uint32_t d = 0; d < keys.head_dim; ++d) {
        dot += q.values[size_t{i} * q.num_cols + d] * key[d];
      }
      scores[i * scores_stride + pos] =
          (static_cast<float>(dot) * keys.scales[pos]) * q.scales[i];
    }
  }
}

float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo) {
  float max_score = scores[0];
  for (uint32_t j = 1; j < num_positions; ++j) {
    max_score = std::max(max_score, scores[j]);
  }
  int32_t denominator = 0;  // positive: the largest term alone is 2^16
  float largest = 0.0f;
  for (uint32_t j = 0; j < num_positions; ++j) {
    const float t = scores[j] - max_score;
    const float p = t < kLowestAttentionExponent
                        ? 0.0f
                        : Exp2NonPositive(t) * kDenominatorScale;
    denominator += static_cast<int32_t>(RoundToEven(p));
    scores[j] = p * v_scales[j];
    largest = std::max(largest, scores[j]);
  }
  const bool is_zero = largest == 0.0f;
  const float factor = is_zero ? 0.0f : kLargestAttentionWeight / largest;
  for (uint32_t j = 0; j < num_positions; ++j) {
    const auto w = static_cast<int32_t>(RoundToEven(scores[j] * factor));
    weights_hi[j] = static_cast<uint8_t>(w >> 7);
    weights_lo[j] = static_cast<uint8_t>(w & 127);
  }
  return (largest / kLargestAttentionWeight) / static_cast<float>(denominator);
}

void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo) {
  for (uint32_t i = 0; i < num_queries; ++i) {
    const uint8_t* hi = weights_hi + i * weights_stride;
    const uint8_t* lo = weights_lo + i * weights_stride;
    for (uint32_t pos = 0; pos < v.num_positions; ++pos) {
      const int8_t* panel = v.values + size_t{pos / 4} * v.head_dim * 4;
      for (uint32_t d = 0; d < v.head_dim; ++d) {
        const int32_t value = panel[d * 4 + pos % 4];
        sums_hi[size_t{i} * v.head_dim + d] += hi[pos] * value;
        sums_lo[size_t{i} * v.head_dim + d] += lo[pos] * value;
      }
    }
  }
}

void JoinValueSums(const int32_t* sums_hi, const int32_t* sums_lo, float scale,
                   uint32_t size, float* out) {
  for (uint32_t d = 0; d < size; ++d) {
    out[d] = (static_cast<float>(sums_hi[d]) * 128.0f +
              static_cast<float>(sums_lo[d])) *
             scale;
  }
}

void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums) {
  float max_logit = logits[0];
  for (uint32_t v = 1; v < num_tokens; ++v) {
    max_logit = std::max(max_logit, logits[v]);
  }
  for (uint32_t v = 0; v < num_tokens; ++v) {
    const float p = Exp2NonPositive((logits[v] - max_logit) * kLog2E);
    weights[v] = 1 + static_cast<uint32_t>(p * kTokenWeightScale);
    if (v % kTokenBlock == 0) block_sums[v / kTokenBlock] = 0;
    block_sums[v / kTokenBlock] += weights[v];
  }
}

}  // namespace llma::reference
