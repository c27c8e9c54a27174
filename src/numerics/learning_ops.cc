// SPDX-License-Identifier: Apache-2.0
#include "numerics/learning_ops.h"

#include <algorithm>
#include <cmath>

#include "numerics/exact_math.h"
#include "numerics/reference_ops.h"

namespace llma::reference {
namespace {

float Clamp(float x, float largest) {
  return std::min(std::max(x, -largest), largest);
}

// 16 partial sums, joined as those of RmsNorm.
float TreeSum(float (&partial)[16]) {
  for (uint32_t half = 8; half > 0; half /= 2) {
    for (uint32_t i = 0; i < half; ++i) partial[i] += partial[i + half];
  }
  return partial[0];
}

// With s the sigmoid of some z(g), n = g * s and `slope` of z: the gate's
// value n and its derivative.
struct GateSlope {
  float value, derivative;
};
GateSlope SlopeOf(float g, float e, float slope) {
  const float r = 1.0f / (1.0f + e);
  const float s = g >= 0.0f ? r : e * r;
  const float n = g * s;
  return {n, s + (n * (1.0f - s)) * slope};
}

void GateBackward(GateSlope gate, float up, float dy, float* dgate,
                  float* dup) {
  *dgate = Clamp((dy * up) * gate.derivative, kLargestGradient);
  *dup = Clamp(dy * gate.value, kLargestGradient);
}

}  // namespace

void LowRankDown(const float* a, uint32_t cols, const float* x, float* u) {
  for (uint32_t k = 0; k < kLearningRank; ++k) {
    float partial[16] = {};
    for (uint32_t c = 0; c < cols; ++c) {
      partial[c % 16] += a[size_t{k} * cols + c] * x[c];
    }
    u[k] = TreeSum(partial);
  }
}

void QuantizedLowRankDown(const float* a, uint32_t cols, const int8_t* values,
                          const float* scales, float* u) {
  for (uint32_t k = 0; k < kLearningRank; ++k) {
    float partial[16] = {};
    for (uint32_t c = 0; c < cols; ++c) {
      const float x = static_cast<float>(values[c]) * scales[c / kGroupSize];
      partial[c % 16] += a[size_t{k} * cols + c] * x;
    }
    u[k] = TreeSum(partial);
  }
}

void AddLowRank(const float* b, size_t b_stride, const float* u, uint32_t cols,
                float* y) {
  for (uint32_t c = 0; c < cols; ++c) {
    float sum = u[0] * b[c];
    for (uint32_t k = 1; k < kLearningRank; ++k) {
      sum += u[k] * b[k * b_stride + c];
    }
    y[c] += sum;
  }
}

void AddOuter(const float* e, const float* x, size_t x_stride,
              uint32_t num_rows, uint32_t cols, float* g, size_t g_stride) {
  for (uint32_t t = 0; t < num_rows; ++t) {
    for (uint32_t k = 0; k < kLearningRank; ++k) {
      for (uint32_t c = 0; c < cols; ++c) {
        g[k * g_stride + c] +=
            e[size_t{t} * kLearningRank + k] * x[t * x_stride + c];
      }
    }
  }
}

void TransposeGroup(const int8_t* in, const float* factors, size_t out_stride,
                    int8_t* out) {
  for (uint32_t c = 0; c < kGroupSize; ++c) {
    for (uint32_t r = 0; r < kPanelRows; ++r) {
      const int8_t value = in[c / kPanelCols * kPanelRows * kPanelCols +
                              r * kPanelCols + c % kPanelCols];
      out[c / 16 * out_stride + r / 4 * 64 + c % 16 * 4 + r % 4] =
          static_cast<int8_t>(
              RoundToEven(static_cast<float>(value) * factors[r]));
    }
  }
}

void SwiGluBackward(const float* gate, const float* up, const float* dy,
                    uint32_t size, float* dgate, float* dup) {
  for (uint32_t i = 0; i < size; ++i) {
    const float e = Exp2NonPositive(-(std::fabs(gate[i]) * kLog2E));
    GateBackward(SlopeOf(gate[i], e, 1.0f), up[i], dy[i], dgate + i, dup + i);
  }
}

void GeGluBackward(const float* gate, const float* up, const float* dy,
                   uint32_t size, float* dgate, float* dup) {
  for (uint32_t i = 0; i < size; ++i) {
    const float a = std::min(std::fabs(gate[i]), kLargestGeluInput);
    const float square_part = kGeluCoefficients[1] * (a * a);
    const float e =
        Exp2NonPositive(-(a * (kGeluCoefficients[0] + square_part)));
    const float slope = (kGeluCoefficients[0] + 3.0f * square_part) * kLn2;
    GateBackward(SlopeOf(gate[i], e, slope), up[i], dy[i], dgate + i, dup + i);
  }
}

void RmsNormBackward(const float* x, const float* weight, const float* dy,
                     uint32_t dim, float eps, float* dx, float* dweight) {
  float squares[16] = {};
  for (uint32_t i = 0; i < dim; ++i) squares[i % 16] += x[i] * x[i];
  const float mean = TreeSum(squares) / static_cast<float>(dim);
  const float inverse = 1.0f / std::sqrt(mean + eps);
  float products[16] = {};
  for (uint32_t i = 0; i < dim; ++i) {
    const float n = x[i] * inverse;
    dweight[i] = dy[i] * n;
    products[i % 16] += (dy[i] * weight[i]) * n;
  }
  const float along = TreeSum(products) / static_cast<float>(dim);
  for (uint32_t i = 0; i < dim; ++i) {
    const float n = x[i] * inverse;
    const float d = (dy[i] * weight[i] - n * along) * inverse;
    dx[i] = Clamp(dx[i] + d, kLargestGradient);
  }
}

void MoveWeights(const AdamStep& step, const float* g, uint32_t size, float* m,
                 float* v, float* w) {
  for (uint32_t i = 0; i < size; ++i) {
    const float gradient = Clamp(g[i], kLargestWeightGradient);
    m[i] += kFirstMomentShare * (gradient - m[i]);
    v[i] += kSecondMomentShare * (gradient * gradient - v[i]);
    const float divisor =
        std::sqrt(v[i] * step.second_moment_scale) + kAdamEpsilon;
    w[i] = Clamp(w[i] - (step.rate * m[i]) / divisor, step.largest);
  }
}

}  // namespace llma::reference
