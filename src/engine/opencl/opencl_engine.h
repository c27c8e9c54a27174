// SPDX-License-Identifier: Apache-2.0
// A device of OpenCL as an engine: weights, keys and values stay on it; of
// known tokens the probabilities of their decisions come back, else sums of
// weights, and what single weights are computed from.
#ifndef LLMA_ENGINE_OPENCL_OPENCL_ENGINE_H_
#define LLMA_ENGINE_OPENCL_OPENCL_ENGINE_H_

#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>

#include "engine/engine.h"
#include "engine/engine_registry.h"
#include "engine/opencl/decode_passes.h"
#include "engine/opencl/device_weights.h"
#include "engine/opencl/opencl_device.h"
#include "kernels/kernel_table.h"
#include "model/model_config.h"

namespace llma {

// A session that finds no room on the device waits as long as others of its
// direction are open.
class OpenClEngine : public Engine {
 public:
  // Over all streams: enough for all units of a large device.
  static constexpr uint32_t kMaxEncodeRows = 4096;

  // With all weights on the device. kMemory if it has not got the room. It is
  // not checked whether it computes rightly: opencl/self_check.h does that.
  // Kernels, for the few weights that this machine computes, must outlive it.
  static Result<std::unique_ptr<OpenClEngine>> Create(
      const Model& model, const KernelTable& kernels,
      const opencl::DeviceInfo& info);

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

  const KernelTable& kernels() const { return kernels_; }
  const opencl::Device& device() const { return *device_; }
  const opencl::DeviceWeights& weights() const { return weights_; }
  opencl::DecodePasses& decode_passes() { return *decode_passes_; }
  // An encoder has freed what it had.
  void NoteEncoderEnd();

 private:
  OpenClEngine(const Model& model, const KernelTable& kernels,
               std::unique_ptr<opencl::Device> device)
      : Engine(model), kernels_(kernels), device_(std::move(device)) {}

  const KernelTable& kernels_;
  const std::unique_ptr<opencl::Device> device_;
  opencl::DeviceWeights weights_;  // go before the device
  std::unique_ptr<opencl::DecodePasses> decode_passes_;
  std::mutex mutex_;
  std::condition_variable encoder_ended_;
  uint32_t num_encoders_ = 0;
};

}  // namespace llma

#endif  // LLMA_ENGINE_OPENCL_OPENCL_ENGINE_H_
