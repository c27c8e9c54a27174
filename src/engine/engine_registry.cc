// SPDX-License-Identifier: Apache-2.0
#include "engine/engine_registry.h"

#include <cstdlib>

#include "base/registry.h"
#include "engine/cpu_engine.h"

namespace llma {
namespace {

constexpr const EngineKind* kAll[] = {&kCpuEngine};

}  // namespace

std::span<const EngineKind* const> AllEngines() { return kAll; }

Result<const EngineKind*> FindEngine(std::string_view name) {
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
