// SPDX-License-Identifier: Apache-2.0
// The kernels of AMX on a model of its tiles in software, so that their logic
// is tested where the processor has none; what is not a tile needs AVX-512.
#ifndef LLMA_KERNELS_TESTING_AMX_MODEL_H_
#define LLMA_KERNELS_TESTING_AMX_MODEL_H_

#include <cstdint>

#include "kernels/kernel_table.h"

namespace llma {

#if defined(__x86_64__)
extern const KernelTable kAmxModel;

// What the model has seen so far: products of tiles, and uses of a tile that
// the processor refuses (no shape, or shapes that do not fit).
struct AmxModelCounts {
  uint64_t products = 0;
  uint64_t faults = 0;
};
AmxModelCounts CountsOfAmxModel();
#endif

}  // namespace llma

#endif  // LLMA_KERNELS_TESTING_AMX_MODEL_H_
