// SPDX-License-Identifier: Apache-2.0
// A model's weights on a device of OpenCL.
#ifndef LLMA_ENGINE_OPENCL_DEVICE_WEIGHTS_H_
#define LLMA_ENGINE_OPENCL_DEVICE_WEIGHTS_H_

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "engine/opencl/opencl_device.h"
#include "model/model.h"

namespace llma::opencl {

struct DeviceWeights {
  // In the layout of LinearWeights.
  struct Matrix {
    Buffer values, scales;
    uint32_t num_rows = 0;  // whole panels
    uint32_t num_groups = 0;
  };
  struct Layer {
    Buffer attn_norm, qkv_bias, q_norm, k_norm, post_attn_norm, ffn_norm,
        post_ffn_norm;
    Matrix qkv, attn_out, gate_up, ffn_down;
  };

  static Result<DeviceWeights> Upload(const Device& device, const Model& model);

  std::vector<Layer> layers;
  Matrix embedding;
  Matrix untied_head;  // if the head is not the embedding
  Buffer output_norm, rope_steps, local_rope_steps;
};

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_DEVICE_WEIGHTS_H_
