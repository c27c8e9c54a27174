// SPDX-License-Identifier: Apache-2.0
// The engine of every machine: its processors, with the pool that a session is
// lent. Sessions share nothing but the model, or, if they join, passes.
#ifndef LLMA_ENGINE_CPU_ENGINE_H_
#define LLMA_ENGINE_CPU_ENGINE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>

#include "engine/engine.h"
#include "engine/engine_registry.h"
#include "kernels/kernel_table.h"
#include "model/model_config.h"

namespace llma {

class CpuPasses;

class CpuEngine : public Engine {
 public:
  // Over all streams: enough that weights are read once for many rows, few
  // enough that activations stay in the second-level cache.
  static constexpr uint32_t kEncodeRows = 256;

  // Kernels must outlive it.
  CpuEngine(const Model& model, const KernelTable& kernels)
      : Engine(model), kernels_(kernels) {}

  uint32_t encode_rows() const override { return kEncodeRows; }
  float extra_row_cost() const override { return kernels_.extra_row_cost; }
  Result<std::unique_ptr<EncodeSession>> OpenEncoder(
      const SessionOptions& options) override;
  Result<std::unique_ptr<DecodeSession>> OpenDecoder(
      const SessionOptions& options) override;

  // What sessions take, with a pool of this many threads.
  static uint64_t EncoderBytes(const ModelConfig& config,
                               const SessionShape& shape, int num_threads);
  static uint64_t DecoderBytes(const ModelConfig& config,
                               const SessionShape& shape, int num_threads);

 private:
  std::shared_ptr<CpuPasses> PassesFor(const SessionOptions& options);

  const KernelTable& kernels_;
  std::mutex mutex_;
  // Of sessions that join: by the pool, which outlives them.
  std::map<const ThreadPool*, std::weak_ptr<CpuPasses>> joint_;
};

extern const EngineKind kCpuEngine;

}  // namespace llma

#endif  // LLMA_ENGINE_CPU_ENGINE_H_
