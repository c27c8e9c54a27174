// SPDX-License-Identifier: Apache-2.0
#include "platform/machine/processors.h"

#include <sys/resource.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <sys/sysctl.h>
#else
#include <sched.h>
#if defined(__aarch64__)
#include <asm/hwcap.h>
#include <sys/auxv.h>
#elif defined(__x86_64__) && defined(__linux__)
#include <cpuid.h>
#include <sys/syscall.h>
#endif
#endif

#include <algorithm>
#include <cstdio>
#include <thread>
#include <vector>

namespace llma {
namespace {

#if defined(__APPLE__)
// A number that the system tells by a name.
std::optional<uint64_t> SystemValue(const char* name) {
  uint64_t value = 0;
  size_t size_bytes = sizeof(value);
  if (::sysctlbyname(name, &value, &size_bytes, nullptr, 0) != 0) return {};
  // It may be one of 32 bits, and all such processors are little-endian.
  return value;
}

// No limit on memory is kept there.
std::optional<uint64_t> LeftOf(int, int) { return {}; }
#else
// What is left of a limit; `field` of /proc/self/statm counts the pages that
// are used of it.
template <class Resource>
std::optional<uint64_t> LeftOf(Resource resource, int field) {
  struct rlimit limit;
  if (::getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) {
    return {};
  }
  uint64_t used_bytes = 0;
  if (std::FILE* const file = std::fopen("/proc/self/statm", "re")) {
    unsigned long long pages = 0;
    int i = -1;
    while (i < field && std::fscanf(file, "%llu", &pages) == 1) ++i;
    const long page_bytes = ::sysconf(_SC_PAGESIZE);
    if (i == field && page_bytes > 0) {
      used_bytes = pages * static_cast<uint64_t>(page_bytes);
    }
    std::fclose(file);
  }
  const uint64_t allowed = limit.rlim_cur;
  return allowed - std::min(allowed, used_bytes);
}
#endif

}  // namespace

int NumAffineProcessors() {
#if defined(__linux__)
  // The kernel may know more processors than fit into a cpu_set_t.
  for (size_t num_bits = CPU_SETSIZE; num_bits <= size_t{1} << 20;
       num_bits *= 2) {
    std::vector<cpu_set_t> sets(num_bits / CPU_SETSIZE);
    const size_t size_bytes = sets.size() * sizeof(cpu_set_t);
    if (::sched_getaffinity(0, size_bytes, sets.data()) == 0) {
      return std::max(1, CPU_COUNT_S(size_bytes, sets.data()));
    }
  }
#endif
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

std::optional<uint64_t> PhysicalMemoryBytes() {
#if defined(__APPLE__)
  return SystemValue("hw.memsize");
#else
  const long num_pages = ::sysconf(_SC_PHYS_PAGES);
  const long page_bytes = ::sysconf(_SC_PAGESIZE);
  if (num_pages <= 0) return {};
  return static_cast<uint64_t>(num_pages) *
         static_cast<uint64_t>(page_bytes > 0 ? page_bytes : 4096);
#endif
}

std::optional<uint64_t> LeftOfMemoryLimits() {
  const auto all = LeftOf(RLIMIT_AS, 0);     // all that is mapped
  const auto data = LeftOf(RLIMIT_DATA, 5);  // data and stacks
  if (!all || !data) return all ? all : data;
  return std::min(*all, *data);
}

uint64_t PeakMemoryBytes() {
  struct rusage usage = {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto peak = static_cast<uint64_t>(usage.ru_maxrss);
#if defined(__APPLE__)
  return peak;
#else
  return peak * 1024;
#endif
}

#if defined(__x86_64__) && defined(__linux__)
namespace {

bool HasAmxInt8() {
  unsigned a = 0, b = 0, c = 0, d = 0;
  constexpr unsigned kOsUsesXsave = 1u << 27;
  if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & kOsUsesXsave) == 0) {
    return false;
  }
  constexpr unsigned kTiles = 1u << 24, kInt8 = 1u << 25;
  if (__get_cpuid_count(7, 0, &a, &b, &c, &d) == 0 || (d & kTiles) == 0 ||
      (d & kInt8) == 0) {
    return false;
  }
  // What the system keeps of a thread: also the shapes and data of tiles?
  unsigned low = 0, high = 0;
  __asm__("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  constexpr unsigned kTileState = 3u << 17;
  return (low & kTileState) == kTileState;
}

bool AskForTiles() {
  constexpr long kRequestPermission = 0x1023, kTileData = 18;
  return HasAmxInt8() &&
         ::syscall(SYS_arch_prctl, kRequestPermission, kTileData) == 0;
}

}  // namespace

bool MayUseAmxTiles() {
  static const bool may = AskForTiles();
  return may;
}
#else
bool MayUseAmxTiles() { return false; }
#endif

bool HasArmDotProducts() {
#if defined(__APPLE__)
  return SystemValue("hw.optional.arm.FEAT_DotProd").value_or(0) != 0;
#elif defined(__aarch64__)
  return (::getauxval(AT_HWCAP) & HWCAP_ASIMDDP) != 0;
#else
  return false;
#endif
}

bool HasArmI8mm() {
#if defined(__APPLE__)
  return SystemValue("hw.optional.arm.FEAT_I8MM").value_or(0) != 0;
#elif defined(__aarch64__)
  return (::getauxval(AT_HWCAP2) & HWCAP2_I8MM) != 0;
#else
  return false;
#endif
}

}  // namespace llma
