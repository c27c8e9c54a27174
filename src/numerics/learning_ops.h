// SPDX-License-Identifier: Apache-2.0
// The definition of the operations of a model that learns while it reads
// (docs/NUMERICS.md, section 9): plain scalar code, one IEEE operation at a
// time. Kernels must equal these functions bit for bit.
//
// Goals: to be read, and to be the oracle of every kernel test.
// Non-goals: speed.
#ifndef LLMA_NUMERICS_LEARNING_OPS_H_
#define LLMA_NUMERICS_LEARNING_OPS_H_

#include <cstddef>
#include <cstdint>

namespace llma {

// What is learnt of a matrix [rows, cols] is a product b^T a of two matrices:
//   a: [kLearningRank, cols] float
//   b: [kLearningRank, rows] float
inline constexpr uint32_t kLearningRank = 8;

// Gradients of activations are clamped to this, those of weights to its square,
// so that nothing can overflow.
inline constexpr float kLargestGradient = 0x1p+20f;
inline constexpr float kLargestWeightGradient = 0x1p+40f;

// How a step moves weights (Adam, Kingma and Ba 2015): what is the same for all
// of them.
struct AdamStep {
  float rate;                 // times what corrects the first moment
  float second_moment_scale;  // what corrects the second moment
  float largest;              // weights are clamped to this
};
inline constexpr float kFirstMomentShare = 0x1.99999ap-4f;   // 0.1
inline constexpr float kSecondMomentShare = 0x1.47ae14p-6f;  // 0.02
inline constexpr float kAdamEpsilon = 0x1.5798eep-27f;       // 1e-8

namespace reference {

// u[k] = the sum of a[k, c] * x[c], in 16 interleaved partial sums and a tree,
// as in RmsNorm.
//   cols: a multiple of 16
void LowRankDown(const float* a, uint32_t cols, const float* x, float* u);

// The same where x[c] = float(values[c]) * scales[c / 64].
//   cols: a multiple of 64
void QuantizedLowRankDown(const float* a, uint32_t cols, const int8_t* values,
                          const float* scales, float* u);

// y[c] += ((u[0] * b[0, c] + u[1] * b[1, c]) + u[2] * b[2, c]) + ...
//   rows of b are b_stride apart; cols: a multiple of 16
void AddLowRank(const float* b, size_t b_stride, const float* u, uint32_t cols,
                float* y);

// g[k, c] += e[t, k] * x[t, c], for t = 0, 1, ... in this order.
//   e: [num_rows, kLearningRank]; x: [num_rows, x_stride]; g: [kLearningRank,
//   g_stride]; cols: a multiple of 16
void AddOuter(const float* e, const float* x, size_t x_stride,
              uint32_t num_rows, uint32_t cols, float* g, size_t g_stride);

// 16 rows and 64 columns of a matrix, times a factor for each row, transposed.
//   in:  [16 quads of columns][16 rows][4], a group of a panel of LinearWeights
//   out: W[r, c] is at (c / 16) * out_stride + (r / 4) * 64 + (c % 16) * 4 +
//        r % 4, as W^T[c, r] is in panels that are out_stride apart
//   factors: [16], each from 0 to 1; results are rounded to even
void TransposeGroup(const int8_t* in, const float* factors, size_t out_stride,
                    int8_t* out);

// From the gradient dy of SwiGlu(gate, up) to those of gate and up.
//   all: [size], a multiple of 16
void SwiGluBackward(const float* gate, const float* up, const float* dy,
                    uint32_t size, float* dgate, float* dup);
// The same of GeGlu.
void GeGluBackward(const float* gate, const float* up, const float* dy,
                   uint32_t size, float* dgate, float* dup);

// From the gradient dy of y = RmsNorm(x, weight): dx += that of x, and dweight
// = that of weight.
//   all: [dim], a multiple of 16
void RmsNormBackward(const float* x, const float* weight, const float* dy,
                     uint32_t dim, float eps, float* dx, float* dweight);

// A step of Adam for `size` weights, a multiple of 16: w with gradients g and
// moments m, v.
void MoveWeights(const AdamStep& step, const float* g, uint32_t size, float* m,
                 float* v, float* w);

}  // namespace reference
}  // namespace llma

#endif  // LLMA_NUMERICS_LEARNING_OPS_H_
