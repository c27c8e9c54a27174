// SPDX-License-Identifier: Apache-2.0
// The engines that there are, as values; like the registry of kernels.
#ifndef LLMA_ENGINE_ENGINE_REGISTRY_H_
#define LLMA_ENGINE_ENGINE_REGISTRY_H_

#include <memory>
#include <span>
#include <string_view>

#include "base/status.h"
#include "engine/engine.h"
#include "kernels/kernel_table.h"
#include "model/model_config.h"

namespace llma {

struct EngineKind {
  const char* name;
  const char* description;
  // At least encode_rows() of its engines.
  uint32_t max_encode_rows;
  // That a frame keeps busy: so many times fewer frames are best coded side by
  // side.
  int threads_per_frame;
  // True if this machine has what the engine needs.
  bool (*is_supported)();
  // True if it is to be taken where none is named but "auto".
  bool (*is_preferred)();
  // kernels: for what the processor computes.
  Result<std::unique_ptr<Engine>> (*create)(const Model& model,
                                            const KernelTable& kernels);
  // Bounds of the memory of this machine that a session takes, with a pool of
  // this many threads.
  uint64_t (*encoder_bytes)(const ModelConfig& config,
                            const SessionShape& shape, int num_threads);
  uint64_t (*decoder_bytes)(const ModelConfig& config,
                            const SessionShape& shape, int num_threads);
};

// All that this build has, the one that is used unless another is asked for
// first; some may be unsupported here.
std::span<const EngineKind* const> AllEngines();

// The engine called `name`. "auto": the last that this machine prefers. Empty:
// the first one, which needs nothing. An unknown or unsupported name is kUsage.
Result<const EngineKind*> FindEngine(std::string_view name);

// FindEngine of the environment variable LLMA_ENGINE.
Result<const EngineKind*> EngineFromEnvironment();

// The same, to estimate memory before there is an engine. Where LLMA_ENGINE is
// an error, which whoever makes the engine reports, it is the preferred one.
const EngineKind& EngineToEstimate();

}  // namespace llma

#endif  // LLMA_ENGINE_ENGINE_REGISTRY_H_
