// SPDX-License-Identifier: Apache-2.0
#include "cm/logistic.h"

#include <gtest/gtest.h>

#include <cmath>

namespace llma::cm {
namespace {

TEST(Logistic, SquashIsTheLogisticFunction) {
  for (int i = -kMaxStretchQ8; i <= kMaxStretchQ8; ++i) {
    const double exact = kProbOne / (1 + std::exp(-i / 256.0));
    EXPECT_NEAR(SquashQ12(i * 16), exact, 1) << i;
  }
}

TEST(Logistic, StretchIsTheLogOdds) {
  for (uint32_t i = 0; i < 4096; ++i) {
    const double q = (i + 0.5) / 4096;
    EXPECT_NEAR(Stretch12(i), 256 * std::log(q / (1 - q)), 0.6) << i;
  }
}

TEST(Logistic, SquashNeverFalls) {
  uint32_t last = 0;
  for (int x = -60000; x <= 60000; ++x) {
    const uint32_t p = SquashQ12(x);
    ASSERT_GE(p, last);
    ASSERT_GE(p, 1u);
    ASSERT_LT(p, kProbOne);
    last = p;
  }
}

TEST(Logistic, StretchInvertsSquash) {
  for (uint32_t p = 200; p < kProbOne - 200; p += 997) {
    const double error = static_cast<double>(SquashQ12(StretchP24(p))) - p;
    const double scale = static_cast<double>(p) * (kProbOne - p) / kProbOne;
    EXPECT_LE(std::abs(error), 1.5 + scale / 4096) << p;
  }
  EXPECT_EQ(StretchP24(0), -kMaxStretchQ12);
  EXPECT_EQ(StretchP24(kProbOne), kMaxStretchQ12);
  EXPECT_EQ(StretchP24(kProbOne / 2), 0);
}

TEST(Logistic, IsSymmetric) {
  for (int x = 0; x <= kMaxStretchQ12; x += 16) {
    EXPECT_EQ(SquashQ12(x) + SquashQ12(-x), kProbOne) << x;
  }
  for (uint32_t i = 0; i < 2048; ++i) {
    EXPECT_NEAR(Stretch12(i), -Stretch12(4095 - i), 1) << i;
  }
}

}  // namespace
}  // namespace llma::cm
