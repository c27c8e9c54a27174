// SPDX-License-Identifier: Apache-2.0
#include "cm/counters.h"

#include <gtest/gtest.h>

namespace llma::cm {
namespace {

TEST(AdaptiveBit32, StaysInRangeAndConverges) {
  for (const int bit : {0, 1}) {
    for (const uint32_t limit : {1u, 30u, 255u, 1023u}) {
      AdaptiveBit32 estimate;
      uint32_t last = estimate.p22();
      for (int i = 0; i < 5000; ++i) {
        estimate.Update(bit, limit);
        const uint32_t p = estimate.p22();
        ASSERT_LT(p, 1u << 22);
        ASSERT_TRUE(bit != 0 ? p >= last : p <= last);
        ASSERT_LE(estimate.count(), limit);
        last = p;
      }
      EXPECT_TRUE(bit != 0 ? last > 4180000 : last < 14000) << last;
    }
  }
}

TEST(AdaptiveBit32, IsAFrequencyAtFirst) {
  AdaptiveBit32 estimate;
  for (int i = 0; i < 300; ++i) estimate.Update(i % 3 == 0 ? 1 : 0, 1023);
  EXPECT_NEAR(estimate.p22(), (1 << 22) / 3, 1 << 15);
}

TEST(RefinementMap, StartsAsTheIdentity) {
  RefinementMap map(3, PageSize::kSmall);
  for (int x = -kMaxStretchQ8; x <= kMaxStretchQ8; x += 64) {
    const double p = SquashQ12(x * 16);
    // Linear between points one unit of log odds apart.
    EXPECT_NEAR(map.Refine(x, 2), p, 1 + 0.14 * p) << x;
  }
}

TEST(RefinementMap, LearnsAndStaysInRange) {
  for (const int bit : {0, 1}) {
    RefinementMap map(2, PageSize::kSmall);
    for (int i = 0; i < 10000; ++i) {
      const uint32_t p = map.Refine(i % 2 == 0 ? 3072 : -3072, 1);
      ASSERT_GE(p, 1u);
      ASSERT_LT(p, kProbOne);
      map.Update(bit, 6);
    }
    const uint32_t p = map.Refine(-3072, 1);
    EXPECT_TRUE(bit != 0 ? p > kProbOne - 8 : p < 8) << p;
    EXPECT_NEAR(map.Refine(0, 0), kProbOne / 2, 2);
  }
}

}  // namespace
}  // namespace llma::cm
