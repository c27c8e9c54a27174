// SPDX-License-Identifier: Apache-2.0
// The kernels of the table for NEON, for tables that take over some of them.
#ifndef LLMA_KERNELS_NEON_H_
#define LLMA_KERNELS_NEON_H_

#include "kernels/kernel_table.h"

namespace llma::kernels::neon {

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* sums);
void Matmul(const LinearWeights& w, uint32_t panel_begin, uint32_t panel_end,
            const QuantizedRows& x, float* y, size_t y_stride);
void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y);
void SwiGlu(const float* gate, const float* up, uint32_t size, float* y);
void GeGlu(const float* gate, const float* up, uint32_t size, float* y);
void AttentionScores(const KeyPanels& keys, const QuantizedRows& q,
                     float* scores, size_t stride);
float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo);
void WeightedValueSums(const ValuePanels& v, const uint8_t* weights_hi,
                       const uint8_t* weights_lo, size_t weights_stride,
                       uint32_t num_queries, int32_t* sums_hi,
                       int32_t* sums_lo);
void JoinValueSums(const int32_t* sums_hi, const int32_t* sums_lo, float scale,
                   uint32_t size, float* out);
void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums);
extern const LearningKernels kLearning;
int32_t LightMixerDot(const int16_t* x, const int32_t* const* rows);
void LightMixerTrain(const int16_t* x, int32_t error, int32_t* const* rows);

}  // namespace llma::kernels::neon

#endif  // LLMA_KERNELS_NEON_H_
