// SPDX-License-Identifier: Apache-2.0
#include "importer/rope_steps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace llma {
namespace {

TEST(RopeStepsTest, Log2IsWithinItsBound) {
  for (double x = 1e-12; x < 1e13; x *= 1.0137) {
    const long double exact = std::log2(static_cast<long double>(x));
    EXPECT_LT(std::fabs(static_cast<double>(ExactLog2(x) - exact)),
              0x1p-50 + std::fabs(static_cast<double>(exact)) * 0x1p-52)
        << x;
  }
  for (int e = -40; e <= 40; ++e) EXPECT_EQ(ExactLog2(std::ldexp(1, e)), e);
}

TEST(RopeStepsTest, Exp2IsWithinItsBound) {
  for (double x = -60; x < 60; x += 0.0137) {
    const long double exact = std::exp2(static_cast<long double>(x));
    EXPECT_LT(std::fabs(static_cast<double>((ExactExp2(x) - exact) / exact)),
              0x1p-50)
        << x;
  }
  for (int e = -60; e <= 60; ++e) EXPECT_EQ(ExactExp2(e), std::ldexp(1, e));
}

TEST(RopeStepsTest, StepsAreWithinTheirBound) {
  constexpr long double kTwoPi = 6.283185307179586476925286766559005768L;
  for (const float theta : {1.0f, 2.0f, 10000.0f, 100000.0f, 130000.0f,
                            500000.0f, 1e6f, 5e9f, 1e12f}) {
    for (const uint32_t head_dim : {16u, 64u, 80u, 256u}) {
      const auto steps = ComputeRopeSteps(theta, head_dim);
      ASSERT_TRUE(steps);
      ASSERT_EQ(steps->size(), head_dim / 2);
      for (uint32_t i = 0; i < head_dim / 2; ++i) {
        const long double exponent = -2.0L * i / head_dim;
        const long double exact =
            std::pow(static_cast<long double>(theta), exponent) / kTwoPi *
            0x1p64L;
        const auto step = static_cast<long double>((*steps)[i]);
        EXPECT_LE(std::fabs(step - exact), 0.5L + 1e-13L * exact)
            << theta << " " << head_dim << " " << i;
      }
    }
  }
}

// The same on every machine: these are in every model file of the kind.
TEST(RopeStepsTest, Golden) {
  const auto steps = ComputeRopeSteps(100000.0f, 64);
  ASSERT_TRUE(steps);
  EXPECT_EQ((*steps)[0], 2935890503282001408u);
  EXPECT_EQ((*steps)[1], 2048754186989806592u);
  EXPECT_EQ((*steps)[31], 42071679960424u);
}

TEST(RopeStepsTest, RefusesBadBases) {
  for (const float theta :
       {0.0f, 0.5f, -1.0f, 1e13f, std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_EQ(ComputeRopeSteps(theta, 64).error().code,
              ErrorCode::kUnsupported);
  }
}

}  // namespace
}  // namespace llma
