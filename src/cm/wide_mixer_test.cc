// SPDX-License-Identifier: Apache-2.0
#include "cm/wide_mixer.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>

#include "cm/wide_logistic.h"

namespace llma::cm {
namespace {

constexpr LearningRate kRate = {.first_q16 = 2000, .last_q16 = 500};

TEST(WideMixer, StartsWithTheGivenWeights) {
  const std::array<uint32_t, 2> sizes = {1, 3};
  const std::array<int32_t, 2> start = {1 << 24, 0};
  WideMixer mixer(sizes, start, kRate, BestKernels());
  mixer.Select(1, 2);
  for (const int32_t x : {-1000000, -7, 0, 3, 999999}) {
    mixer.inputs()[0] = x;
    mixer.inputs()[1] = 12345;
    EXPECT_EQ(mixer.Mix(), x);
    EXPECT_EQ(mixer.output(0), x);
  }
}

TEST(WideMixer, LearnsInTheSelectedRowOnly) {
  const std::array<uint32_t, 1> sizes = {2};
  const std::array<int32_t, 2> start = {1 << 24, 0};
  WideMixer mixer(sizes, start, kRate, BestKernels());
  mixer.inputs()[0] = 0;
  // The second input says the truth, the first one nothing.
  for (int i = 0; i < 2000; ++i) {
    mixer.inputs()[1] = (i & 1) != 0 ? 0x10000 : -0x10000;
    mixer.Mix();
    mixer.Update(i & 1);
  }
  mixer.inputs()[1] = 0x10000;
  EXPECT_GT(mixer.Mix(), 2 << 16);
  mixer.Select(0, 1);
  EXPECT_EQ(mixer.Mix(), 0);
}

TEST(WideMixer, NewRowsStartFromTheFirstSet) {
  const std::array<uint32_t, 2> sizes = {1, 2};
  const std::array<int32_t, 1> start = {0};
  WideMixer mixer(sizes, start, kRate, BestKernels());
  mixer.inputs()[0] = 0x10000;
  for (int i = 0; i < 100; ++i) {
    mixer.Mix();
    mixer.Update(1);
  }
  mixer.Select(1, 1);
  mixer.Mix();
  EXPECT_GT(mixer.output(1), 0);
  EXPECT_EQ(mixer.output(1), mixer.output(0));
}

TEST(WideMixer, ExtremesStayInBounds) {
  const std::array<uint32_t, 1> sizes = {1};
  const std::array<int32_t, 4> start = {};
  WideMixer mixer(sizes, start, {.first_q16 = 65535, .last_q16 = 65535},
                  BestKernels());
  for (int i = 0; i < 3000; ++i) {
    std::ranges::fill(mixer.inputs(),
                      (i & 1) != 0 ? kMaxStretchQ16 : -kMaxStretchQ16);
    EXPECT_LE(std::abs(mixer.Mix()), kMaxStretchQ16);
    mixer.Update(i / 7 & 1);
  }
}

}  // namespace
}  // namespace llma::cm
