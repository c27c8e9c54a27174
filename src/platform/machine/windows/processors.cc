// SPDX-License-Identifier: Apache-2.0
#include "platform/machine/processors.h"

#include <windows.h>
// After windows.h.
#include <psapi.h>

#include <algorithm>
#include <bit>
#include <thread>

namespace llma {

int NumAffineProcessors() {
  // Of the process's group, which is all where there are up to 64.
  DWORD_PTR own = 0, all = 0;
  if (::GetProcessAffinityMask(::GetCurrentProcess(), &own, &all) && own != 0) {
    return std::popcount(static_cast<uint64_t>(own));
  }
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

std::optional<uint64_t> PhysicalMemoryBytes() {
  MEMORYSTATUSEX status = {};
  status.dwLength = sizeof(status);
  if (!::GlobalMemoryStatusEx(&status)) return {};
  return status.ullTotalPhys;
}

// A job that the process is in, as in a container.
std::optional<uint64_t> LeftOfMemoryLimits() {
  JOBOBJECT_EXTENDED_LIMIT_INFORMATION job = {};
  if (!::QueryInformationJobObject(nullptr, JobObjectExtendedLimitInformation,
                                   &job, sizeof(job), nullptr)) {
    return {};
  }
  const DWORD flags = job.BasicLimitInformation.LimitFlags;
  std::optional<uint64_t> limit;
  if (flags & JOB_OBJECT_LIMIT_PROCESS_MEMORY) limit = job.ProcessMemoryLimit;
  if (flags & JOB_OBJECT_LIMIT_JOB_MEMORY) {
    limit = std::min<uint64_t>(limit.value_or(job.JobMemoryLimit),
                               job.JobMemoryLimit);
  }
  return limit;
}

uint64_t PeakMemoryBytes() {
  PROCESS_MEMORY_COUNTERS counters = {};
  if (!::K32GetProcessMemoryInfo(::GetCurrentProcess(), &counters,
                                 sizeof(counters))) {
    return 0;
  }
  return counters.PeakWorkingSetSize;
}

// Nobody has tried them on Windows.
bool MayUseAmxTiles() { return false; }

bool HasArmDotProducts() {
#if defined(__aarch64__)
  return ::IsProcessorFeaturePresent(43);  // PF_ARM_V82_DP_INSTRUCTIONS_...
#else
  return false;
#endif
}

// Windows does not tell.
bool HasArmI8mm() { return false; }

}  // namespace llma
