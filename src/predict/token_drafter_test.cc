// SPDX-License-Identifier: Apache-2.0
#include "predict/token_drafter.h"

#include <gtest/gtest.h>

namespace llma {
namespace {

std::vector<uint32_t> DraftAfter(std::vector<uint32_t> tokens,
                                 uint32_t min_match, uint32_t max_tokens) {
  TokenDrafter drafter;
  for (const uint32_t token : tokens) drafter.Push(token);
  const auto draft = drafter.Draft(min_match, max_tokens);
  return {draft.begin(), draft.end()};
}

TEST(TokenDrafter, GuessesWhatFollowedTheLastTokensBefore) {
  EXPECT_EQ(DraftAfter({1, 2, 3, 4, 5, 1, 2}, 2, 8),
            (std::vector<uint32_t>{3, 4}));
  EXPECT_EQ(DraftAfter({1, 2, 3, 4, 5, 1, 2}, 2, 1),
            (std::vector<uint32_t>{3}));
}

TEST(TokenDrafter, GuessesMoreAfterLongerMatches) {
  EXPECT_EQ(DraftAfter({1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4}, 2, 8),
            (std::vector<uint32_t>{5, 6, 7}));
  EXPECT_EQ(DraftAfter({1, 2, 3, 4, 5, 6, 7, 8, 9, 1, 2, 3, 4}, 5, 8),
            (std::vector<uint32_t>{}));
}

TEST(TokenDrafter, GuessesNothingWithoutAMatch) {
  EXPECT_TRUE(DraftAfter({}, 2, 8).empty());
  EXPECT_TRUE(DraftAfter({1}, 2, 8).empty());
  EXPECT_TRUE(DraftAfter({1, 2, 3, 2, 1}, 2, 8).empty());
  // A match that ended.
  EXPECT_TRUE(DraftAfter({1, 2, 3, 4, 1, 2, 9}, 2, 8).empty());
}

TEST(TokenDrafter, ARunMatchesItself) {
  EXPECT_EQ(DraftAfter({7, 7, 7, 7}, 2, 8), (std::vector<uint32_t>{7}));
}

}  // namespace
}  // namespace llma
