// SPDX-License-Identifier: Apache-2.0
// The floating-point environment that docs/NUMERICS.md asks for: round to
// nearest even, subnormals on. Another library in the process may have changed
// it (a shared object linked with -ffast-math does), so an FpEnvGuard is held
// where a thread enters the library: in every function of the C interface
// (api/api_callback.h), a worker of a pool, and a task of OrderedTasks. What is
// inside relies on it.
#ifndef LLMA_BASE_FP_ENV_H_
#define LLMA_BASE_FP_ENV_H_

#include <cfloat>
#include <climits>
#include <cstdint>
#include <limits>

// With x87 arithmetic FLT_EVAL_METHOD is not 0, so i386 is built for SSE2.
#if defined(__x86_64__) || defined(__i386__)
#define LLMA_HAS_MXCSR 1
#endif

#if defined(LLMA_HAS_MXCSR)
#include <xmmintrin.h>
#elif !defined(__aarch64__)
#include <cfenv>
#endif

#if defined(__FAST_MATH__)
#error "fast-math changes results: build without it"
#endif
static_assert(std::numeric_limits<float>::is_iec559);
static_assert(std::numeric_limits<double>::is_iec559);
static_assert(FLT_EVAL_METHOD == 0, "x87 arithmetic changes results");
static_assert(CHAR_BIT == 8);

namespace llma {

#if defined(LLMA_HAS_MXCSR)
// MXCSR, and the environment of x87: strtod() and printf() of the C library
// round as its control word says.
struct FpEnv {
  uint32_t mxcsr;
  uint32_t x87[7];
};
inline FpEnv LoadFpEnv() {
  FpEnv env;
  // Storing masks all exceptions; that is undone.
  __asm__ volatile("fnstenv %0\n\tfldenv %0" : "=m"(env.x87));
  env.mxcsr = _mm_getcsr();
  return env;
}
inline void StoreFpEnv(const FpEnv& env) {
  __asm__ volatile("fldenv %0" : : "m"(env.x87));
  _mm_setcsr(env.mxcsr);
}
// All exceptions masked, round to nearest, 64 bits in x87; no FTZ, no DAZ.
inline void StoreDefaultFpEnv() {
  const uint16_t control = 0x037f;
  __asm__ volatile("fnclex\n\tfldcw %0" : : "m"(control));
  _mm_setcsr(0x1f80);
}
#elif defined(__aarch64__)
using FpEnv = uint64_t;  // FPCR
inline FpEnv LoadFpEnv() {
  FpEnv env;
  __asm__ volatile("mrs %0, fpcr" : "=r"(env));
  return env;
}
inline void StoreFpEnv(FpEnv env) {
  __asm__ volatile("msr fpcr, %0" : : "r"(env));
}
// Round to nearest, no flush to zero, default NaN off.
inline void StoreDefaultFpEnv() { StoreFpEnv(0); }
#else
// Through the C library, whose default is the same: on 32-bit ARM, too, without
// flushing to zero.
using FpEnv = std::fenv_t;
inline FpEnv LoadFpEnv() {
  FpEnv env;
  std::fegetenv(&env);
  return env;
}
inline void StoreFpEnv(const FpEnv& env) { std::fesetenv(&env); }
inline void StoreDefaultFpEnv() { std::fesetenv(FE_DFL_ENV); }
#endif

// Sets the environment and restores the caller's when destroyed.
class FpEnvGuard {
 public:
  FpEnvGuard() : saved_(LoadFpEnv()) { StoreDefaultFpEnv(); }
  ~FpEnvGuard() { StoreFpEnv(saved_); }
  FpEnvGuard(const FpEnvGuard&) = delete;
  FpEnvGuard& operator=(const FpEnvGuard&) = delete;
  const FpEnv& saved() const { return saved_; }

 private:
  const FpEnv saved_;
};

}  // namespace llma

#endif  // LLMA_BASE_FP_ENV_H_
