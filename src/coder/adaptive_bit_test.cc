// SPDX-License-Identifier: Apache-2.0
#include "coder/adaptive_bit.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>

namespace llma {
namespace {

TEST(AdaptiveBit, RatesFollowTheirFormula) {
  for (uint32_t n = 0; n <= kAdaptiveBitLimit; ++n) {
    EXPECT_EQ(kAdaptiveRates[n],
              static_cast<uint32_t>(std::floor(65536.0 / (n + 1.5))));
  }
}

TEST(AdaptiveBit, StartsAtOneHalfAndLearnsFastAtFirst) {
  AdaptiveBit model;
  EXPECT_EQ(model.p1(), 1u << 23);
  EXPECT_EQ(model.count(), 0u);
  model.Update(true);
  // (1 + 1/4) / 1.5 = 5/6.
  EXPECT_NEAR(model.p1(), (1 << 24) * 5 / 6.0, 200);
  EXPECT_EQ(model.count(), 1u);
}

TEST(AdaptiveBit, StaysInRangeOnConstantBits) {
  for (const bool bit : {false, true}) {
    AdaptiveBit model;
    for (int i = 0; i < 100000; ++i) {
      model.Update(bit);
      ASSERT_GE(model.p1(), kMinProbability);
      ASSERT_LE(model.p1(), kMaxProbability);
    }
    EXPECT_EQ(model.count(), kAdaptiveBitLimit);
    const double p = std::ldexp(model.p1(), -kProbBits);
    EXPECT_LT(bit ? 1 - p : p, 1.0 / 8192);
    // And finds its way back.
    for (int i = 0; i < 1500; ++i) model.Update(!bit);
    const double q = std::ldexp(model.p1(), -kProbBits);
    EXPECT_LT(bit ? q : 1 - q, 0.02);
  }
}

TEST(AdaptiveBit, CostsAboutTheEntropy) {
  constexpr int kNumBits = 100000;
  constexpr double kOnes = 0.03;
  std::mt19937 random(1);
  BinaryEncoder encoder;
  AdaptiveBit model;
  for (int i = 0; i < kNumBits; ++i) {
    CodeAdaptive(encoder, model, random() % 100 < 3);
  }
  const double entropy =
      -kOnes * std::log2(kOnes) - (1 - kOnes) * std::log2(1 - kOnes);
  const auto code = std::move(encoder).Finish();
  EXPECT_NEAR(8.0 * static_cast<double>(code.size()), entropy * kNumBits,
              0.03 * entropy * kNumBits);
}

}  // namespace
}  // namespace llma
