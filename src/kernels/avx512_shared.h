// SPDX-License-Identifier: Apache-2.0
// Kernels for AVX-512 other than matrix products.
#ifndef LLMA_KERNELS_AVX512_SHARED_H_
#define LLMA_KERNELS_AVX512_SHARED_H_

#include "kernels/kernel_table.h"

#if defined(__x86_64__)

namespace llma::kernels::avx512 {

void QuantizeRow(const float* x, uint32_t num_cols, uint32_t group_size,
                 int8_t* values, float* scales, int32_t* starts);
void RmsNorm(const float* x, const float* weight, uint32_t dim, float eps,
             float* y);
void SwiGlu(const float* gate, const float* up, uint32_t size, float* y);
void GeGlu(const float* gate, const float* up, uint32_t size, float* y);
float AttentionWeights(float* scores, const float* v_scales,
                       uint32_t num_positions, uint8_t* weights_hi,
                       uint8_t* weights_lo);
void JoinValueSums(const int32_t* sums_hi, const int32_t* sums_lo, float scale,
                   uint32_t size, float* out);
void TokenWeights(const float* logits, uint32_t num_tokens, uint32_t* weights,
                  uint64_t* block_sums);

}  // namespace llma::kernels::avx512

#endif  // defined(__x86_64__)
#endif  // LLMA_KERNELS_AVX512_SHARED_H_
