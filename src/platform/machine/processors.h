// SPDX-License-Identifier: Apache-2.0
// What the machine has, and how much of it this process may use.
#ifndef LLMA_PLATFORM_MACHINE_PROCESSORS_H_
#define LLMA_PLATFORM_MACHINE_PROCESSORS_H_

#include <cstdint>
#include <optional>

namespace llma {

// Processors that threads of this process may run on at a time, at least 1.
int NumAffineProcessors();

// Of the machine; nothing if it is not known.
std::optional<uint64_t> PhysicalMemoryBytes();
// What the process may take further before it meets a limit of its own; nothing
// if it has none.
std::optional<uint64_t> LeftOfMemoryLimits();
// The most that the process ever had in memory.
uint64_t PeakMemoryBytes();

// Whether threads of this process may use the tiles of AMX (TILE and INT8). The
// system keeps room for them only for processes that ask: the first call does,
// for all threads, also those that run already. From then on Linux takes no
// alternate signal stack that is too small for tiles (sigaltstack()).
bool MayUseAmxTiles();

// Instructions of AArch64 that not all of its processors have.
bool HasArmDotProducts();
bool HasArmI8mm();

}  // namespace llma

#endif  // LLMA_PLATFORM_MACHINE_PROCESSORS_H_
