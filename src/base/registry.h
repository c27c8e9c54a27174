// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_BASE_REGISTRY_H_
#define LLMA_BASE_REGISTRY_H_

#include <span>
#include <string>
#include <string_view>

#include "base/status.h"

namespace llma {

// Of what a program has in several kinds, each with a name and is_supported():
// the one called `name`; the last that is supported if it is empty. A name that
// is unknown or unsupported is kUsage. noun, needs: "engine", "needs a device".
template <class T>
Result<const T*> FindInRegistry(std::span<const T* const> all,
                                std::string_view name, std::string_view noun,
                                std::string_view needs) {
  const std::string named = std::string(noun) + " '" + std::string(name) + "'";
  const T* best = nullptr;
  std::string names;
  for (const T* entry : all) {
    names += names.empty() ? "" : ", ";
    names += entry->name;
    if (!name.empty() && name != entry->name) continue;
    if (entry->is_supported()) {
      best = entry;
    } else if (!name.empty()) {
      return Error{ErrorCode::kUsage, named + " " + std::string(needs)};
    }
  }
  if (best == nullptr) {
    return Error{ErrorCode::kUsage,
                 "unknown " + named + "; this program has " + names};
  }
  return best;
}

}  // namespace llma

#endif  // LLMA_BASE_REGISTRY_H_
