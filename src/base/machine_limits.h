// SPDX-License-Identifier: Apache-2.0
// What this process may use of the machine: less than there is, where the
// process is bound to some processors, is in a container (a control group of
// Linux, version 1 or 2), or has limits of its own (setrlimit).
#ifndef LLMA_BASE_MACHINE_LIMITS_H_
#define LLMA_BASE_MACHINE_LIMITS_H_

#include <cstdint>
#include <optional>
#include <string>

#include "platform/machine/processors.h"

namespace llma {

// What the control groups of this process allow: the least of its own group and
// of all groups above that can be seen.
struct CgroupLimits {
  std::optional<double> processors;      // as shares of time add up
  std::optional<uint64_t> memory_bytes;  // nothing: no limit
};
// `root`: where /proc and the mounts are; for tests.
CgroupLimits ReadCgroupLimits(const std::string& root = "");

// NumAffineProcessors(), but no more than the control groups give time for:
// whole ones, for a thread that waits for one without time holds up all others.
int NumProcessors();

// What no object is larger than. Where it decides, with addresses of 32 bits,
// sizes are compared with it before they become size_t.
inline constexpr uint64_t kMaxObjectBytes = PTRDIFF_MAX;

// Memory that this process may use further: the least of the machine's, of its
// control groups', of what is left of the process's own limits, and of
// kMaxObjectBytes.
uint64_t UsableMemoryBytes();

}  // namespace llma

#endif  // LLMA_BASE_MACHINE_LIMITS_H_
