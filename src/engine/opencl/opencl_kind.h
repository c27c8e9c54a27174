// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_ENGINE_OPENCL_OPENCL_KIND_H_
#define LLMA_ENGINE_OPENCL_OPENCL_KIND_H_

#include <memory>
#include <span>

#include "engine/engine_registry.h"
#include "engine/opencl/opencl_engine.h"

namespace llma {

// The best device, checked when it is first used with a model, and the
// processor where it fails.
extern const EngineKind kOpenClEngine;

// The first of some devices that can be used with a model and computes as it
// must; else the error of the first.
Result<std::unique_ptr<OpenClEngine>> CreateOnOneOf(
    std::span<const opencl::DeviceInfo> devices, const Model& model,
    const KernelTable& kernels);

}  // namespace llma

#endif  // LLMA_ENGINE_OPENCL_OPENCL_KIND_H_
