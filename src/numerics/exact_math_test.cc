// SPDX-License-Identifier: Apache-2.0
// Accuracy against libm in double, with the tolerances that NUMERICS.md states.
#include "numerics/exact_math.h"

#include <gtest/gtest.h>

#include <cmath>
#include <numbers>

namespace llma {
namespace {

TEST(ExactMath, RoundToEvenMatchesRint) {
  for (int i = -4000; i <= 4000; ++i) {
    const float x = static_cast<float>(i) * 0.125f;
    EXPECT_EQ(RoundToEven(x), std::rint(x)) << x;
  }
}

TEST(ExactMath, Exp2WithinItsBound) {
  EXPECT_EQ(Exp2NonPositive(0.0f), 1.0f);
  EXPECT_EQ(Exp2NonPositive(-0.0f), 1.0f);
  EXPECT_EQ(Exp2NonPositive(-1e30f), 0.0f);
  double worst = 0;
  for (int i = 0; i < 2000000; ++i) {
    const float t = -static_cast<float>(i) * (125.4f / 2000000);
    const double exact = std::exp2(static_cast<double>(t));
    worst = std::max(worst, std::fabs(Exp2NonPositive(t) - exact) / exact);
  }
  EXPECT_LT(worst, 3.0e-6);
  EXPECT_GT(worst, 2.0e-6);
}

TEST(ExactMath, Exp2NeverGrowsAsItsArgumentFalls) {
  float last = 1.0f;
  for (int i = 0; i < 200000; ++i) {
    const float p = Exp2NonPositive(-static_cast<float>(i) * 0x1p-10f);
    EXPECT_LE(p, last);
    last = p;
  }
}

TEST(ExactMath, SineSeriesIsItsFormula) {
  // At quarter turns the result is exact; between them within 4 units.
  for (int i = 0; i < 100000; ++i) {
    const uint64_t phase = 0x9e3779b97f4a7c15u * static_cast<uint64_t>(i);
    const double angle =
        static_cast<double>(phase >> 32) * 0x1p-32 * 2 * std::numbers::pi;
    const SinCos sc = SinCosOfTurns(phase);
    EXPECT_NEAR(sc.sin_q30, std::sin(angle) * 0x1p30, 4.0);
    EXPECT_NEAR(sc.cos_q30, std::cos(angle) * 0x1p30, 4.0);
  }
  EXPECT_EQ(SinCosOfTurns(0).cos_q30, 1 << 30);
  EXPECT_EQ(SinCosOfTurns(0).sin_q30, 0);
}

}  // namespace
}  // namespace llma
