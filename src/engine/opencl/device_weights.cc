// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/device_weights.h"

#include <span>

namespace llma::opencl {

Result<DeviceWeights> DeviceWeights::Upload(const Device& device,
                                            const Model& model) {
  const auto numbers = [&](auto values, Buffer& to) -> Status {
    LLMA_ASSIGN(to, device.Upload(values));
    return OkStatus();
  };
  const auto matrix = [&](const LinearWeights& of, Matrix& to) -> Status {
    const std::span<const int8_t> values(
        of.values, static_cast<size_t>(of.values_bytes()));
    const std::span<const float> scales(of.scales,
                                        static_cast<size_t>(of.num_scales()));
    LLMA_TRY(numbers(values, to.values));
    LLMA_TRY(numbers(scales, to.scales));
    to.num_rows = of.num_panels() * kPanelRows;
    to.num_groups = of.num_groups();
    return OkStatus();
  };
  DeviceWeights weights;
  for (uint32_t i = 0; i < model.config().num_layers; ++i) {
    const LayerWeights& from = model.layer(i);
    Layer& to = weights.layers.emplace_back();
    LLMA_TRY(numbers(from.attn_norm, to.attn_norm));
    LLMA_TRY(numbers(from.qkv_bias, to.qkv_bias));
    LLMA_TRY(numbers(from.q_norm, to.q_norm));
    LLMA_TRY(numbers(from.k_norm, to.k_norm));
    LLMA_TRY(numbers(from.post_attn_norm, to.post_attn_norm));
    LLMA_TRY(numbers(from.ffn_norm, to.ffn_norm));
    LLMA_TRY(numbers(from.post_ffn_norm, to.post_ffn_norm));
    LLMA_TRY(matrix(from.qkv, to.qkv));
    LLMA_TRY(matrix(from.attn_out, to.attn_out));
    LLMA_TRY(matrix(from.gate_up, to.gate_up));
    LLMA_TRY(matrix(from.ffn_down, to.ffn_down));
  }
  LLMA_TRY(matrix(model.embedding(), weights.embedding));
  if (!model.config().tied_head) {
    LLMA_TRY(matrix(model.head(), weights.untied_head));
  }
  LLMA_TRY(numbers(model.output_norm(), weights.output_norm));
  LLMA_TRY(numbers(model.rope_steps(), weights.rope_steps));
  LLMA_TRY(numbers(model.local_rope_steps(), weights.local_rope_steps));
  return weights;
}

}  // namespace llma::opencl
