// SPDX-License-Identifier: Apache-2.0
// Kernels for AVX-512 other than matrix products.
#ifndef LLMA_KERNELS_AVX512_SHARED_H_
#define LLMA_KERNELS_AVX512_SHARED_H_

#include "kernels/avx2_shared.h"
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
extern const LearningKernels kLearning;

// A table of these functions, those of AVX2 for context models, and the
// products that are a set's own.
constexpr KernelTable MakeTable(
    const char* name, const char* description, bool (*is_supported)(),
    float extra_row_cost, decltype(KernelTable::matmul) matmul,
    decltype(KernelTable::attention_scores) attention_scores,
    decltype(KernelTable::weighted_value_sums) weighted_value_sums) {
  return {
      .name = name,
      .description = description,
      .is_supported = is_supported,
      .extra_row_cost = extra_row_cost,
      .quantize_row = QuantizeRow,
      .matmul = matmul,
      .rms_norm = RmsNorm,
      .swiglu = SwiGlu,
      .geglu = GeGlu,
      .attention_scores = attention_scores,
      .attention_weights = AttentionWeights,
      .weighted_value_sums = weighted_value_sums,
      .join_value_sums = JoinValueSums,
      .token_weights = TokenWeights,
      .learning = &kLearning,
      .mixer_dot = avx2::MixerDot,
      .mixer_train = avx2::MixerTrain,
      .wide_mixer_dot = avx2::WideMixerDot,
      .wide_mixer_train = avx2::WideMixerTrain,
      .light_mixer_dot = avx2::LightMixerDot,
      .light_mixer_train = avx2::LightMixerTrain,
  };
}

}  // namespace llma::kernels::avx512

#endif  // defined(__x86_64__)
#endif  // LLMA_KERNELS_AVX512_SHARED_H_
