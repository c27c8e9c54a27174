// SPDX-License-Identifier: Apache-2.0
#include "base/fp_env.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <cstdlib>

namespace llma {
namespace {

TEST(FpEnv, ProductsAndSumsAreNotFused) {
  // a*b rounds to 1 + 2^-11, so the sum is exactly 0 unless it was fused.
  volatile float a = 1.0f + 0x1p-12f, c = -(1.0f + 0x1p-11f);
  const float result = a * a + c;
  EXPECT_EQ(result, 0.0f);
}

#if defined(__x86_64__)
TEST(FpEnv, RestoresSubnormalsAndRounding) {
  const uint32_t hostile = 0xffc0;  // FTZ, DAZ, round towards zero
  const uint32_t before = _mm_getcsr();
  _mm_setcsr(hostile);
  {
    const FpEnvGuard guard;
    volatile float tiny = 1e-38f, tenth = 0.1f;
    EXPECT_GT(tiny * tenth, 0.0f);
    volatile float one = 1.0f, half_ulp = 0x1.8p-24f;
    EXPECT_GT(one + half_ulp, 1.0f);
  }
  EXPECT_EQ(_mm_getcsr() & 0xffc0u, hostile);
  _mm_setcsr(before);
}
#elif defined(__aarch64__)
uint64_t GetFpcr() {
  uint64_t value;
  __asm__ volatile("mrs %0, fpcr" : "=r"(value));
  return value;
}
void SetFpcr(uint64_t value) {
  __asm__ volatile("msr fpcr, %0" : : "r"(value));
}

TEST(FpEnv, RestoresSubnormalsAndRounding) {
  const uint64_t hostile = 0x1c00000;  // FZ, round towards zero
  const uint64_t before = GetFpcr();
  SetFpcr(hostile);
  volatile float tiny = 1e-38f, tenth = 0.1f, one = 1.0f, half_ulp = 0x1.8p-24f;
  EXPECT_EQ(tiny * tenth, 0.0f);  // hostile indeed
  EXPECT_EQ(one + half_ulp, 1.0f);
  {
    const FpEnvGuard guard;
    EXPECT_GT(tiny * tenth, 0.0f);
    EXPECT_GT(one + half_ulp, 1.0f);
  }
  EXPECT_EQ(GetFpcr(), hostile);
  SetFpcr(before);
}
#endif

// The C library has its own idea of the rounding mode.
TEST(FpEnv, NumbersAreReadAsToNearest) {
  const double nearest = std::strtod("0.1", nullptr);
  for (const int mode : {FE_UPWARD, FE_DOWNWARD, FE_TOWARDZERO}) {
    ASSERT_EQ(std::fesetround(mode), 0);
    {
      const FpEnvGuard guard;
      EXPECT_EQ(std::fegetround(), FE_TONEAREST);
      EXPECT_EQ(std::strtod("0.1", nullptr), nearest);
      EXPECT_EQ(std::strtod("1e-5", nullptr), 1e-5);
    }
    EXPECT_EQ(std::fegetround(), mode);
  }
  std::fesetround(FE_TONEAREST);
}

// Flags that the caller has not read yet, and none of the library's.
TEST(FpEnv, RestoresFlags) {
  for (const int flag : {0, FE_DIVBYZERO, FE_INEXACT}) {
    std::feclearexcept(FE_ALL_EXCEPT);
    if (flag != 0) std::feraiseexcept(flag);
    {
      const FpEnvGuard guard;
      volatile double zero = 0;
      volatile long double third = 1.0L / 3;
      (void)(zero / zero);
      (void)(third * third);
    }
    EXPECT_EQ(std::fetestexcept(FE_ALL_EXCEPT), flag);
  }
  std::feclearexcept(FE_ALL_EXCEPT);
}

}  // namespace
}  // namespace llma
