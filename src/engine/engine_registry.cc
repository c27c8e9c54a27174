// SPDX-License-Identifier: Apache-2.0
#include "engine/engine_registry.h"

#include <cstdlib>
#include <string>

#include "engine/cpu_engine.h"

namespace llma {
namespace {

constexpr const EngineKind* kAll[] = {&kCpuEngine};

}  // namespace

std::span<const EngineKind* const> AllEngines() { return kAll; }

Result<const EngineKind*> FindEngine(std::string_view name) {
  const EngineKind* best = nullptr;
  std::string names;
  for (const EngineKind* kind : kAll) {
    names += names.empty() ? "" : ", ";
    names += kind->name;
    if (!name.empty() && name != kind->name) continue;
    if (kind->is_supported()) {
      best = kind;
    } else if (!name.empty()) {
      return Error{ErrorCode::kUsage, "engine '" + std::string(name) +
                                          "' needs a device that has it"};
    }
  }
  if (best == nullptr) {
    return Error{ErrorCode::kUsage, "unknown engine '" + std::string(name) +
                                        "'; this program has " + names};
  }
  return best;
}

Result<const EngineKind*> EngineFromEnvironment() {
  const char* name = std::getenv("LLMA_ENGINE");
  return FindEngine(name == nullptr ? "" : name);
}

}  // namespace llma
