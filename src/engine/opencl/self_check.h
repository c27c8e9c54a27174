// SPDX-License-Identifier: Apache-2.0
// Whether a device computes what docs/NUMERICS.md says, bit for bit. What it
// did is remembered by device, driver, kernels and model.
#ifndef LLMA_ENGINE_OPENCL_SELF_CHECK_H_
#define LLMA_ENGINE_OPENCL_SELF_CHECK_H_

#include <string>

#include "base/status.h"
#include "engine/opencl/opencl_engine.h"
#include "kernels/kernel_table.h"

namespace llma::opencl {

// Single operations on many numbers, near limits and at random, against the
// processor's. kUnsupported with the first that differs.
Status CheckOperations(const Device& device);

// Products of random matrices by each kernel that the device may use, whatever
// the shapes of a model's are.
Status CheckProducts(const Device& device);

// The engine's model over some random tokens, in several batches, past the end
// of a window, which has more positions than a group of items: what encoders
// and decoders of it get, against the processor's.
inline constexpr uint32_t kCheckedWindow = 72;
Status CheckModel(Engine& engine, const KernelTable& kernels,
                  uint32_t window_positions = kCheckedWindow);

// All three, unless the verdict on them is known: in this process, or in a file
// of the user's data folder.
Status CheckOnce(OpenClEngine& engine, const KernelTable& kernels);

// What such a file is called: a hash of all that a verdict depends on.
std::string VerdictName(const Device& device, const Model& model);

// What is known of a device without asking it: "checked", "refused: why", or
// "not checked yet", with whatever model it was used last.
std::string KnownVerdict(const DeviceInfo& info);

}  // namespace llma::opencl

#endif  // LLMA_ENGINE_OPENCL_SELF_CHECK_H_
