// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/rope_steps.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <functional>
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
      const auto steps = ComputeRopeSteps({.base = theta}, head_dim);
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
  const auto steps = ComputeRopeSteps({.base = 100000}, 64);
  ASSERT_TRUE(steps);
  EXPECT_EQ((*steps)[0], 2935890503282001408u);
  EXPECT_EQ((*steps)[1], 2048754186989806592u);
  EXPECT_EQ((*steps)[31], 42071679960424u);
}

TEST(RopeStepsTest, RefusesBadBases) {
  for (const float theta :
       {0.0f, 0.5f, -1.0f, 1e13f, std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    EXPECT_EQ(ComputeRopeSteps({.base = theta}, 64).error().code,
              ErrorCode::kUnsupported);
  }
}

// What is left of each angle, against an exact law of the wave's length.
void ExpectScales(const RopeSpec& rope, uint32_t head_dim,
                  const std::function<double(uint32_t, double)>& law) {
  RopeSpec plain;
  plain.base = rope.base;
  const auto whole = ComputeRopeSteps(plain, head_dim);
  const auto scaled = ComputeRopeSteps(rope, head_dim);
  ASSERT_TRUE(whole && scaled);
  for (uint32_t i = 0; i < head_dim / 2; ++i) {
    const auto step = static_cast<double>((*whole)[i]);
    const double wave = 0x1p64 / step;
    EXPECT_NEAR(static_cast<double>((*scaled)[i]) / step, law(i, wave), 1e-7)
        << i;
  }
}

TEST(RopeStepsTest, LinearScaling) {
  ExpectScales({.base = 1e6f, .scaling = RopeScaling::kLinear, .factor = 8},
               128, [](uint32_t, double) { return 1.0 / 8; });
}

// The numbers of Llama 3.2.
TEST(RopeStepsTest, Llama3Scaling) {
  const RopeSpec rope = {.base = 500000,
                         .scaling = RopeScaling::kLlama3,
                         .factor = 32,
                         .original_positions = 8192};
  ExpectScales(rope, 64, [](uint32_t, double wave) {
    if (wave < 8192.0 / 4) return 1.0;
    if (wave > 8192.0) return 1.0 / 32;
    const double smooth = (8192 / wave - 1) / 3;
    return (1 - smooth) / 32 + smooth;
  });
  EXPECT_EQ(RopeMagnitude(rope), 1);
}

// The numbers of Qwen2.5 for long texts. By its authors' formula the pairs
// between which the angle is stretched in part are floor(23.6) and ceil(39.6).
TEST(RopeStepsTest, YarnScaling) {
  const RopeSpec rope = {.base = 1e6f,
                         .scaling = RopeScaling::kYarn,
                         .factor = 4,
                         .original_positions = 32768};
  const auto pair = [](double beta) {
    return 128 * std::log(32768 / (beta * 2 * M_PI)) / (2 * std::log(1e6));
  };
  EXPECT_NEAR(pair(32), 23.6, 0.05);
  EXPECT_NEAR(pair(1), 39.65, 0.05);
  ExpectScales(rope, 128, [](uint32_t i, double) {
    const double stretched = std::clamp((i - 23.0) / (40.0 - 23.0), 0.0, 1.0);
    return stretched / 4 + (1 - stretched);
  });
  EXPECT_NEAR(RopeMagnitude(rope), 0.1 * std::log(4.0) + 1, 1e-12);
}

TEST(RopeStepsTest, PairsHaveDivisors) {
  RopeSpec rope;
  for (int i = 0; i < 16; ++i) {
    rope.pair_divisors.push_back(1.0f + static_cast<float>(i));
  }
  ExpectScales(rope, 32, [](uint32_t i, double) { return 1.0 / (1 + i); });
  rope.pair_divisors[3] = 0.5f;
  EXPECT_FALSE(ComputeRopeSteps(rope, 32));
  rope.pair_divisors[3] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(ComputeRopeSteps(rope, 32));
}

TEST(RopeStepsTest, RefusesBadScaling) {
  for (const RopeScaling scaling :
       {RopeScaling::kLinear, RopeScaling::kLlama3, RopeScaling::kYarn}) {
    const RopeSpec good = {
        .scaling = scaling, .factor = 8, .original_positions = 4096};
    EXPECT_TRUE(ComputeRopeSteps(good, 64));
    for (const float bad :
         {0.0f, -1.0f, 1e30f, std::numeric_limits<float>::quiet_NaN()}) {
      RopeSpec rope = good;
      rope.factor = bad;
      EXPECT_FALSE(ComputeRopeSteps(rope, 64));
      if (scaling == RopeScaling::kLinear) continue;
      rope = good;
      rope.original_positions = bad;
      EXPECT_FALSE(ComputeRopeSteps(rope, 64));
      rope = good;
      rope.low_frequency = rope.slow_beta = bad;
      EXPECT_FALSE(ComputeRopeSteps(rope, 64));
      rope = good;
      rope.high_frequency = rope.fast_beta = bad;
      EXPECT_FALSE(ComputeRopeSteps(rope, 64));
    }
  }
}

}  // namespace
}  // namespace llma
