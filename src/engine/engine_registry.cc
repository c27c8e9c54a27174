// SPDX-License-Identifier: Apache-2.0
#include "engine/engine_registry.h"

#include <cstdlib>

#include "base/registry.h"
#include "engine/cpu_engine.h"
#if defined(LLMA_OPENCL)
#include "engine/opencl/opencl_kind.h"
#endif

namespace llma {
namespace {

constexpr const EngineKind* kAll[] = {
    &kCpuEngine,
#if defined(LLMA_OPENCL)
    &kOpenClEngine,
#endif
};

}  // namespace

std::span<const EngineKind* const> AllEngines() { return kAll; }

Result<const EngineKind*> FindEngine(std::string_view name) {
  if (name == "auto") {
    const EngineKind* best = &kCpuEngine;
    for (const EngineKind* kind : AllEngines()) {
      if (kind->is_preferred()) best = kind;
    }
    return best;
  }
  if (name.empty()) return &kCpuEngine;  // without looking for devices
  return FindInRegistry(AllEngines(), name, "engine",
                        "needs a device that has it");
}

Result<const EngineKind*> EngineFromEnvironment() {
  const char* name = std::getenv("LLMA_ENGINE");
  return FindEngine(name == nullptr ? "" : name);
}

const EngineKind& EngineToEstimate() {
  const auto named = EngineFromEnvironment();
  return named ? **named : **FindEngine("");
}

}  // namespace llma
