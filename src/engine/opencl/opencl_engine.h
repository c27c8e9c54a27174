// SPDX-License-Identifier: Apache-2.0
// A device of OpenCL as an engine: weights, keys and values stay on it; of
// known tokens the probabilities of their decisions come back, else the weights
// of all tokens.
#ifndef LLMA_ENGINE_OPENCL_OPENCL_ENGINE_H_
#define LLMA_ENGINE_OPENCL_OPENCL_ENGINE_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "engine/engine.h"
#include "engine/engine_registry.h"
#include "engine/opencl/opencl_device.h"
#include "kernels/kernel_table.h"
#include "model/model_config.h"

namespace llma {

class OpenClEngine : public Engine {
 public:
  // Over all streams: enough for all units of a large device.
  static constexpr uint32_t kMaxEncodeRows = 4096;

  // With all weights on the device. kMemory if it has not got the room. It is
  // not checked whether it computes rightly: opencl/self_check.h does that.
  static Result<std::unique_ptr<OpenClEngine>> Create(
      const Model& model, const opencl::DeviceInfo& info);

  uint32_t encode_rows() const override;
  float extra_row_cost() const override;
  Result<std::unique_ptr<EncodeSession>> OpenEncoder(
      const SessionOptions& options) override;
  Result<std::unique_ptr<DecodeSession>> OpenDecoder(
      const SessionOptions& options) override;

  // What sessions take of this machine, beside the device.
  static uint64_t EncoderBytes(const ModelConfig& config,
                               const SessionShape& shape);
  static uint64_t DecoderBytes(const ModelConfig& config,
                               const SessionShape& shape);

  const opencl::Device& device() const { return *device_; }

  // A matrix on the device, in the layout of LinearWeights.
  struct Matrix {
    opencl::Buffer values, scales;
    uint32_t num_rows = 0;  // whole panels
    uint32_t num_groups = 0;
  };
  struct Layer {
    opencl::Buffer attn_norm, qkv_bias, q_norm, k_norm, post_attn_norm,
        ffn_norm, post_ffn_norm;
    Matrix qkv, attn_out, gate_up, ffn_down;
  };
  struct Weights {
    std::vector<Layer> layers;
    Matrix embedding;
    Matrix untied_head;  // if the head is not the embedding
    opencl::Buffer output_norm, rope_steps, local_rope_steps;
  };
  const Weights& weights() const { return weights_; }

 private:
  OpenClEngine(const Model& model, std::unique_ptr<opencl::Device> device)
      : Engine(model), device_(std::move(device)) {}
  Status Upload();

  const std::unique_ptr<opencl::Device> device_;
  Weights weights_;  // goes before the device
};

}  // namespace llma

#endif  // LLMA_ENGINE_OPENCL_OPENCL_ENGINE_H_
