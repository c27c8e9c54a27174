// SPDX-License-Identifier: Apache-2.0
#include "cm/joint_predictor.h"

#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

namespace llma::cm {
namespace {

// Bits spent on `content` in tokens of at most `token_bytes`, cut at blanks
// too. lm(bit) is the language model's probability of a 1.
template <class LanguageModel>
double CostInBits(const std::string& content, ModelSet set,
                  uint32_t token_bytes, size_t num_lanes,
                  const LanguageModel& lm) {
  JointPredictor joint({.set = set,
                        .content_bytes = content.size(),
                        .num_lanes = static_cast<uint32_t>(num_lanes)});
  const auto cost = [](uint32_t p, bool bit) {
    EXPECT_TRUE(p >= 1 && p < kProbOne);
    return 24 - std::log2(bit ? p : kProbOne - p);
  };
  for (size_t lane = 0; lane < num_lanes; ++lane) {
    joint.AddLane(content.size() * lane / num_lanes);
  }
  double bits = 0;
  for (uint32_t lane = 0; lane < num_lanes; ++lane) {
    const size_t end = content.size() * (lane + 1) / num_lanes;
    uint32_t depth = 0;
    for (size_t i = content.size() * lane / num_lanes; i < end; ++i) {
      joint.BeginByte(lane);
      for (int k = 7; k >= 0; --k) {
        const bool bit = (content[i] >> k & 1) != 0;
        const uint32_t p24 = lm(bit);
        const uint32_t p = joint.PredictBit(p24);
        if (p24 == 0 || p24 == kProbOne) {
          EXPECT_EQ(p, p24);
        } else {
          bits += cost(p, bit);
        }
        joint.UpdateBit(bit ? 1 : 0);
      }
      if (i + 1 == end) break;
      const bool ends = ++depth == token_bytes || content[i] == ' ';
      bits += cost(joint.PredictEnd(kProbOne / 4), ends);
      joint.UpdateEnd(ends);
      if (ends) depth = 0;
    }
  }
  return bits;
}

std::string Repeated(const std::string& part, int times) {
  std::string text;
  for (int i = 0; i < times; ++i) text += part;
  return text;
}

uint32_t EvenOdds(bool /*bit*/) { return JointPredictor::kEvenOdds; }
uint32_t Sure(bool bit) { return bit ? kProbOne - 2 : 2; }

class JointPredictorTest : public testing::TestWithParam<ModelSet> {};

TEST_P(JointPredictorTest, LearnsBitsAndEndsWithoutALanguageModel) {
  const std::string text = Repeated("one token after the other ", 100);
  EXPECT_LT(CostInBits(text, GetParam(), 5, 1, EvenOdds), 1200);
}

TEST_P(JointPredictorTest, LanesLearnFromEachOther) {
  const std::string text = Repeated("one token after the other ", 100);
  EXPECT_LT(CostInBits(text, GetParam(), 5, 4, EvenOdds), 1500);
}

TEST_P(JointPredictorTest, LeavesASureLanguageModelAlone) {
  // No part is ever repeated, so that nothing else can be sure.
  std::string text;
  for (uint32_t i = 1; text.size() < 3000; ++i) {
    text += static_cast<char>(i * i * 2654435761u >> 24);
  }
  text.resize(3000);
  // Few tokens end; 3,000 bytes of certain bits cost nothing beside that.
  EXPECT_LT(CostInBits(text, GetParam(), 1 << 20, 1, Sure), 500);
}

TEST_P(JointPredictorTest, CertainBitsAreKept) {
  const std::string text = Repeated("certain ", 50);
  const auto certain = [](bool bit) { return bit ? kProbOne : 0; };
  EXPECT_LT(CostInBits(text, GetParam(), 3, 1, certain), 100);
}

TEST_P(JointPredictorTest, ForgivesAWrongLanguageModel) {
  const std::string text = Repeated("one token after the other ", 200);
  const auto wrong = [](bool bit) {
    return bit ? kProbOne / 64 : kProbOne / 64 * 63;
  };
  // Believed, it would cost six bits a bit.
  EXPECT_LT(CostInBits(text, GetParam(), 5, 1, wrong),
            0.15 * 6 * 8 * static_cast<double>(text.size()));
}

TEST_P(JointPredictorTest, EscapesEndTokens) {
  JointPredictor joint({.set = GetParam(), .content_bytes = 40});
  joint.AddLane(0);
  for (int i = 0; i < 40; ++i) {
    joint.BeginByte(0);
    for (int k = 0; k < 8; ++k) {
      joint.PredictBit(JointPredictor::kEvenOdds);
      joint.UpdateBit(1);
    }
    joint.EndEscape();
  }
  joint.PredictEnd(0);
}

INSTANTIATE_TEST_SUITE_P(Sets, JointPredictorTest,
                         testing::Values(ModelSet::kLight, ModelSet::kFull));

}  // namespace
}  // namespace llma::cm
