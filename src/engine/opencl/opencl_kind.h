// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_ENGINE_OPENCL_OPENCL_KIND_H_
#define LLMA_ENGINE_OPENCL_OPENCL_KIND_H_

#include "engine/engine_registry.h"

namespace llma {

// The best device, checked when it is first used with a model, and the
// processor where it fails.
extern const EngineKind kOpenClEngine;

}  // namespace llma

#endif  // LLMA_ENGINE_OPENCL_OPENCL_KIND_H_
