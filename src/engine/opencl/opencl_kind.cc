// SPDX-License-Identifier: Apache-2.0
#include "engine/opencl/opencl_kind.h"

#include <memory>
#include <utility>

#include "engine/cpu_engine.h"
#include "engine/fallback_engine.h"
#include "engine/opencl/opencl_device.h"
#include "engine/opencl/opencl_engine.h"
#include "engine/opencl/self_check.h"

namespace llma {
namespace {

Result<std::unique_ptr<OpenClEngine>> CreateChecked(
    const Model& model, const KernelTable& kernels,
    const opencl::DeviceInfo& info) {
  LLMA_ASSIGN(auto engine, OpenClEngine::Create(model, kernels, info));
  LLMA_TRY(opencl::CheckOnce(*engine, kernels));
  return engine;
}

Result<std::unique_ptr<OpenClEngine>> CreateOn(const opencl::DeviceInfo& device,
                                               const Model& model,
                                               const KernelTable& kernels) {
  auto engine = CreateChecked(model, kernels, device);
  if (engine || engine.error().code != ErrorCode::kUnsupported ||
      !device.rounds_correctly) {
    return engine;
  }
  // It may only say that it rounds.
  opencl::DeviceInfo without = device;
  without.rounds_correctly = false;
  auto with_integers = CreateChecked(model, kernels, without);
  return with_integers ? std::move(with_integers) : std::move(engine);
}

}  // namespace

Result<std::unique_ptr<OpenClEngine>> CreateOnOneOf(
    std::span<const opencl::DeviceInfo> devices, const Model& model,
    const KernelTable& kernels) {
  Error error{ErrorCode::kUnsupported, "there is no OpenCL device"};
  for (size_t i = 0; i < devices.size(); ++i) {
    auto engine = CreateOn(devices[i], model, kernels);
    if (engine) return engine;
    if (i == 0) error = engine.error();
  }
  return error;
}

const EngineKind kOpenClEngine = {
    .name = "opencl",
    .description = "a GPU or another device of OpenCL",
    .max_encode_rows = OpenClEngine::kMaxEncodeRows,
    .threads_per_frame = 1,  // the device has the model's work
    .is_supported = [] { return opencl::BestDevice() != nullptr; },
    .is_preferred =
        [] {
          const opencl::DeviceInfo* const device = opencl::BestDevice();
          return device != nullptr && device->is_gpu;
        },
    .create = [](const Model& model, const KernelTable& kernels)
        -> Result<std::unique_ptr<Engine>> {
      auto engine = CreateOnOneOf(opencl::UsableDevices(opencl::AllDevices()),
                                  model, kernels);
      if (!engine) {
        NoteEngineFailure(engine.error().what);
        return std::unique_ptr<Engine>(
            std::make_unique<CpuEngine>(model, kernels));
      }
      return std::unique_ptr<Engine>(
          std::make_unique<FallbackEngine>(*std::move(engine), kernels));
    },
    // The processor's, too, which may take over.
    .encoder_bytes =
        [](const ModelConfig& config, const SessionShape& shape, int threads) {
          return OpenClEngine::EncoderBytes(config, shape) +
                 CpuEngine::EncoderBytes(config, shape, threads);
        },
    .decoder_bytes =
        [](const ModelConfig& config, const SessionShape& shape, int threads) {
          return OpenClEngine::DecoderBytes(config, shape) +
                 CpuEngine::DecoderBytes(config, shape, threads);
        },
};

}  // namespace llma
