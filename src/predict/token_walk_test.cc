// SPDX-License-Identifier: Apache-2.0
#include "predict/token_walk.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "numerics/test_random.h"

namespace llma {
namespace {

// A small vocabulary with prefixes of each other, sorted.
const std::vector<std::string> kSpellings = {std::string("\0", 1),
                                             "a",
                                             "ab",
                                             "abc",
                                             "abd",
                                             "b",
                                             "ba",
                                             "bb",
                                             "cccc",
                                             "d",
                                             "\x7f",
                                             "\x80",
                                             "\xff",
                                             "\xff\xff"};

class TokenWalkTest : public testing::Test {
 protected:
  TokenWalkTest() : masses_(static_cast<uint32_t>(kSpellings.size())) {
    for (const std::string& s : kSpellings) {
      offsets_.push_back(static_cast<uint32_t>(text_.size()));
      text_ += s;
    }
    offsets_.push_back(static_cast<uint32_t>(text_.size()));
    table_ = TokenTable(offsets_, AsBytes(text_));
    TestRandom random(9);
    for (size_t i = 0; i < kSpellings.size(); ++i) {
      logits_.push_back(random.Float(6.0f));
    }
    masses_.Set(**FindKernels("scalar"), logits_.data());
  }
  double TokenProbability(uint32_t token) const {
    return static_cast<double>(masses_.weight(token)) /
           static_cast<double>(masses_.Mass(0, masses_.num_tokens()));
  }

  std::vector<uint32_t> offsets_;
  std::string text_;
  TokenTable table_;
  std::vector<float> logits_;
  TokenMasses masses_;
};

TEST_F(TokenWalkTest, ThePathCostsWhatTheTokenCosts) {
  const TokenIndex index(table_);
  for (uint32_t token = 0; token < kSpellings.size(); ++token) {
    std::vector<Probability> path;
    RecordWalk(index, masses_, token, path);
    ASSERT_EQ(path.size(), 9 * kSpellings[token].size());
    RecordedWalk walk(path);
    double bits = 0;
    size_t depth = 0;
    while (!walk.is_done()) {
      const bool decision =
          walk.at_end_decision()
              ? ++depth == kSpellings[token].size()
              : (static_cast<uint8_t>(kSpellings[token][depth]) >>
                     walk.bit_idx() &
                 1) != 0;
      const double p1 = walk.p1() * 0x1p-24;
      bits -= std::log2(decision ? p1 : 1 - p1);
      walk.Push(decision);
    }
    EXPECT_NEAR(bits, -std::log2(TokenProbability(token)), 1e-3)
        << kSpellings[token];
  }
}

TEST_F(TokenWalkTest, LiveAndRecordedWalksAgree) {
  const TokenIndex index(table_);
  for (uint32_t token = 0; token < kSpellings.size(); ++token) {
    std::vector<Probability> path;
    RecordWalk(index, masses_, token, path);
    RecordedWalk recorded(path);
    TokenWalk live(index, masses_);
    size_t depth = 0;
    while (!live.is_done()) {
      ASSERT_EQ(live.p1(), recorded.p1());
      ASSERT_EQ(live.at_end_decision(), recorded.at_end_decision());
      ASSERT_EQ(live.bit_idx(), recorded.bit_idx());
      ASSERT_EQ(live.can_end_here(), recorded.can_end_here());
      const bool decision =
          live.at_end_decision()
              ? ++depth == kSpellings[token].size()
              : (static_cast<uint8_t>(kSpellings[token][depth]) >>
                     live.bit_idx() &
                 1) != 0;
      live.Push(decision);
      recorded.Push(decision);
    }
    EXPECT_TRUE(recorded.is_done());
    EXPECT_EQ(live.token(), token);
    EXPECT_EQ(live.last_byte(), recorded.last_byte());
  }
}

TEST_F(TokenWalkTest, EveryPathOfDecisionsLeadsToAToken) {
  const TokenIndex index(table_);
  TestRandom random(10);
  for (int round = 0; round < 1000; ++round) {
    TokenWalk walk(index, masses_);
    for (int steps = 0; !walk.is_done(); ++steps) {
      ASSERT_LT(steps, 100);
      const Probability p1 = walk.p1();
      walk.Push(p1 == kCertainlyOne ||
                (p1 != kCertainlyZero && random.Below(2) == 0));
    }
    EXPECT_LT(walk.token(), kSpellings.size());
  }
}

TEST(MassQuotient, CertainOnlyWhenItIs) {
  EXPECT_EQ(MassQuotient(0, 5), kCertainlyZero);
  EXPECT_EQ(MassQuotient(5, 5), kCertainlyOne);
  EXPECT_EQ(MassQuotient(1, uint64_t{1} << 50), kMinProbability);
  EXPECT_EQ(MassQuotient((uint64_t{1} << 50) - 1, uint64_t{1} << 50),
            kMaxProbability);
  EXPECT_EQ(MassQuotient(1, 2), 1u << 23);
}

}  // namespace
}  // namespace llma
