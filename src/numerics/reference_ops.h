// SPDX-License-Identifier: Apache-2.0
// The definition of llma's arithmetic: plain scalar code, one IEEE operation at
// a time. docs/NUMERICS.md says the same in words. Kernels must equal these
// functions bit for bit.
//
// Goals: to be read, and to be the oracle of every kernel test.
// Non-goals: speed.
#ifndef LLMA_NUMERICS_REFERENCE_OPS_H_
#define LLMA_NUMERICS_REFERENCE_OPS_H_

#include <cstddef>
#include <cstdint>

#include "numerics/linear_weights.h"

namespace llma {

// Rows of activations, quantised with a scale per group of 64 values.
//   values: [num_rows, num_cols] int8 in [-127, 127]
//   scales: [num_rows, num_groups] float, 0 for a group of zeros
//   starts: [num_rows, num_groups] int32, -128 times the sum of a group's
//   values:
//           where a product with weights made unsigned by adding 128 starts
struct QuantizedRows {
  const int8_t* values;
  const float* scales;
  const int32_t* starts;
  uint32_t num_rows;
  uint32_t num_cols;
  uint32_t num_groups;
};

// Keys of one head, quantised: panels like LinearWeights with one group.
//   values: [num_panels, head_dim / 4, 16 positions, 4 dims] int8
//   low_values: null, or of the same shape: the integers are
//     128 * values + low_values
//   scales: [num_panels * 16] float
struct KeyPanels {
  const int8_t* values;
  const int8_t* low_values;
  const float* scales;
  uint32_t num_panels;
  uint32_t head_dim;
};

// Values of one head, transposed.
//   values: [num_positions / 4, head_dim, 4 positions] int8
struct ValuePanels {
  const int8_t* values;
  uint32_t num_positions;  // a multiple of 4
  uint32_t head_dim;
};

// Below this a group counts as zero, so that no quotient leaves the normal
// range.
inline constexpr float kSmallestMagnitude = 0x1p-60f;
// |SwiGLU| is clamped to this, which bounds everything after it.
inline constexpr float kLargestGated = 0x1p+20f;
// From here on GELU does not differ from max(x, 0), and its polynomial would
// grow without need.
inline constexpr float kLargestGeluInput = 16.0f;
// GELU(x) = x * sigmoid(x * (c0 + c1 * x^2)), with log2(e) in both:
// 2 sqrt(2 / pi) log2(e) and 0.044715 times that.
inline constexpr float kGeluCoefficients[2] = {0x1.26aec2p+1f, 0x1.a5a7dp-4f};
// Wide keys are integers in [-16319, 16319], 128 * high + low with halves in
// [-127, 127] and [-64, 63].
inline constexpr float kLargestWideKey = 16319.0f;
// Scores below maximum - 32 (in powers of two) weigh nothing.
inline constexpr float kLowestAttentionExponent = -32.0f;
// A score that masks its position.
inline constexpr float kMaskedScore = -0x1p+120f;
// Attention weights are integers in [0, 127 * 128 + 127].
inline constexpr float kLargestAttentionWeight = 16383.0f;
// One unit of the softmax denominator is 2^-16 of the largest term, so up to
// 2^15 - 1 positions sum below 2^31.
inline constexpr float kDenominatorScale = 0x1p+16f;
inline constexpr uint32_t kMaxAttendedPositions = 32767;
// Final weights: 2^30 for the most likely token, at least 1 for every one.
inline constexpr float kTokenWeightScale = 0x1p+30f;
inline constexpr uint32_t kTokenBlock = 64;  // tokens that share a block sum

namespace reference {

// Quantises `num_cols` values (a multiple of `group_size`, at most 256 each).
//   scale = max|x| / 127, value = round_to_even(x * (127 / max|x|)),
//   start = -128 * the sum of a group's values
void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts);

// y[i, row] = sum over groups g, ascending, of
//   (float(sum_c W[row, c] * x[i, c]) * scale_W[row, g]) * scale_x[i, g]
// for all rows of panels [panel_begin, panel_end); padded rows are written too.
//   y: [x.num_rows, y_stride]
void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride);

// y = (x * (1 / sqrt(mean(x^2) + eps))) * weight; the sum of squares in 16
// interleaved partial sums and a tree. dim: a multiple of 16. y may be x.
void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y);

// y = clamp(gate * sigmoid(gate) * up, +-kLargestGated).
void SwiGlu(const float* gate, const float* up, uint32_t size, float* y);

// The same with GELU in its tanh form instead of gate * sigmoid(gate).
void GeGlu(const float* gate, const float* up, uint32_t size, float* y);

// cap * tanh(x / cap) for each of `size` values, in place. All kernel sets use
// this code.
void SoftCap(float cap, uint32_t size, float* x);

// Quantises a key to 15 bits: scale = max|x| / 16319, integers
// round_to_even(x * (16319 / max|x|)) = 128 * high + low. All kernel sets use
// this code.
//   x, high, low: [size]
void QuantizeWideKey(const float* x, uint32_t size, int8_t* high, int8_t* low,
                     float* scale);

// scores[i, pos] = (float(q[i] . k[pos]) * scale_k[pos]) * scale_q[i].
//   q: num_groups = 1, num_cols = head_dim
// |q . k| <= 256 * 127 * 16319 < 2^29.
void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t scores_stride);

// Integer attention weights of one query:
//   p_j = 2^(score_j - max) * 2^16, 0 below kLowestAttentionExponent
//   w_j = round_to_even((p_j * scale_v_j) * (16383 / max_j(p_j * scale_v_j)))
// w_j = 128 * weights_hi[j] + weights_lo[j], both in [0, 127].
// Returns what turns the weighted sum of V into the head's output:
//   (max_j(p_j * scale_v_j) / 16383) / float(sum_j round_to_even(p_j)).
//   scores, v_scales: [num_positions], num_positions a multiple of 16
// If all p_j * scale_v_j are 0, the weights and the result are 0.
// scores is overwritten.
float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo);

// sums[i, d] += sum over positions of weight[i, pos] * v[pos, d], apart for the
// two halves of the weights.
//   weights_hi, weights_lo: [num_queries, weights_stride]
//   sums_hi, sums_lo: [num_queries, head_dim]
// 127 * 127 * 32767 < 2^29.
void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo);

// out[d] = (float(sums_hi[d]) * 128 + float(sums_lo[d])) * scale.
//   size: a multiple of 16
void JoinValueSums(const int32_t* sums_hi, const int32_t* sums_lo, float scale,
                   uint32_t size, float* out);

// weights[v] = 1 + trunc(2^((logits[v] - max) * log2(e)) * 2^30).
// block_sums[b] = the sum of weights [64 b, 64 b + 64).
void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums);

}  // namespace reference
}  // namespace llma

#endif  // LLMA_NUMERICS_REFERENCE_OPS_H_
