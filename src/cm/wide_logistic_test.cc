// SPDX-License-Identifier: Apache-2.0
#include "cm/wide_logistic.h"

#include <gtest/gtest.h>

#include <cmath>

#include "cm/wide_refinement.h"

namespace llma::cm {
namespace {

TEST(WideLogistic, StretchIsLogOdds) {
  for (uint32_t p = 1; p < kProbOne; p += p < 5000 ? 1 : 4099) {
    const double x = p / double{kProbOne};
    EXPECT_NEAR(StretchQ16(p), std::log(x / (1 - x)) * 65536, 2) << p;
    EXPECT_EQ(StretchQ16(kProbOne - p), -StretchQ16(p)) << p;
    EXPECT_LT(std::abs(StretchQ16(p)), kMaxStretchQ16);
  }
}

TEST(WideLogistic, SquashIsItsInverse) {
  for (uint32_t p = 1; p < kProbOne; p += p < 5000 ? 1 : 4099) {
    // One unit of log odds is p (1 - p) / 2^16; the tables err by two.
    const double x = p / double{kProbOne};
    EXPECT_NEAR(SquashQ16(StretchQ16(p)), p, 1 + x * (1 - x) * 1024) << p;
  }
  EXPECT_EQ(SquashQ16(INT32_MAX), kProbOne - 1);
  EXPECT_EQ(SquashQ16(-INT32_MAX), 1u);
  EXPECT_EQ(SquashQ16(0), kProbOne / 2);
}

TEST(WideRefinementMap, StartsAsTheIdentityAndLearns) {
  WideRefinementMap map(2, PageSize::kSmall);
  for (int32_t x = -kMaxStretchQ16; x <= kMaxStretchQ16; x += 0x10000) {
    EXPECT_EQ(map.Refine(x, 1), SquashQ16(x));
  }
  for (int i = 0; i < 1000; ++i) {
    map.Refine(0, 0);
    map.Update(1);
  }
  EXPECT_GT(map.Refine(0, 0), kProbOne * 0.99);
  EXPECT_EQ(map.Refine(0, 1), kProbOne / 2);
}

}  // namespace
}  // namespace llma::cm
