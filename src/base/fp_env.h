// SPDX-License-Identifier: Apache-2.0
// The floating-point environment that docs/NUMERICS.md asks for: round to
// nearest even, subnormals on. Another library in the process may have changed
// it (a shared object linked with -ffast-math does), so every entry of the
// library and every worker thread holds an FpEnvGuard.
#ifndef LLMA_BASE_FP_ENV_H_
#define LLMA_BASE_FP_ENV_H_

#include <cfloat>
#include <climits>
#include <cstdint>
#include <limits>

#if defined(__x86_64__)
#include <xmmintrin.h>
#endif

#if defined(__FAST_MATH__)
#error "fast-math changes results: build without it"
#endif
static_assert(std::numeric_limits<float>::is_iec559);
static_assert(std::numeric_limits<double>::is_iec559);
static_assert(FLT_EVAL_METHOD == 0, "x87 arithmetic changes results");
static_assert(CHAR_BIT == 8);

namespace llma {

// Sets the environment and restores the caller's when destroyed.
class FpEnvGuard {
 public:
  FpEnvGuard() : saved_(Load()) { Store(kDefault); }
  ~FpEnvGuard() { Store(saved_); }
  FpEnvGuard(const FpEnvGuard&) = delete;
  FpEnvGuard& operator=(const FpEnvGuard&) = delete;

 private:
#if defined(__x86_64__)
  // MXCSR: all exceptions masked, round to nearest, no FTZ, no DAZ.
  static constexpr uint64_t kDefault = 0x1f80;
  static uint64_t Load() { return _mm_getcsr(); }
  static void Store(uint64_t v) { _mm_setcsr(static_cast<uint32_t>(v)); }
#elif defined(__aarch64__)
  // FPCR: round to nearest, no flush to zero, default NaN off.
  static constexpr uint64_t kDefault = 0;
  static uint64_t Load() {
    uint64_t v;
    __asm__ volatile("mrs %0, fpcr" : "=r"(v));
    return v;
  }
  static void Store(uint64_t v) { __asm__ volatile("msr fpcr, %0" : : "r"(v)); }
#else
  static constexpr uint64_t kDefault = 0;
  static uint64_t Load() { return 0; }
  static void Store(uint64_t) {}
#endif

  uint64_t saved_;
};

}  // namespace llma

#endif  // LLMA_BASE_FP_ENV_H_
