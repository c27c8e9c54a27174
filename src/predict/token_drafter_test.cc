// SPDX-License-Identifier: Apache-2.0
#include "predict/token_drafter.h"

#include <gtest/gtest.h>

namespace llma {
namespace {

constexpr float kCheap = 0.01f;

TokenTree DraftAfter(const std::vector<uint32_t>& tokens,
                     uint32_t max_tokens = 16, float cost = kCheap) {
  TokenDrafter drafter;
  for (const uint32_t token : tokens) drafter.Push(token);
  return drafter.Draft(max_tokens, cost);
}

TEST(TokenDrafter, GuessesWhatFollowedTheLastTokensBefore) {
  const TokenTree tree = DraftAfter({1, 2, 3, 4, 5, 1, 2}, 4);
  EXPECT_EQ(tree.tokens, (std::vector<uint32_t>{2, 3, 4, 5}));
  EXPECT_EQ(tree.parents, (std::vector<uint32_t>{0, 0, 1, 2}));
}

TEST(TokenDrafter, GuessesAlternatives) {
  // 2 and 3 have followed 1, and nothing followed 3.
  const TokenTree tree = DraftAfter({1, 2, 8, 1, 3, 9, 7, 1}, 3);
  ASSERT_EQ(tree.tokens.size(), 3u);
  EXPECT_EQ(tree.tokens[0], 1u);
  EXPECT_EQ(tree.tokens[1] + tree.tokens[2], 2u + 3u);
  EXPECT_EQ(tree.parents, (std::vector<uint32_t>{0, 0, 0}));
}

TEST(TokenDrafter, PrefersWhatFollowedMoreOfTheSameTokens) {
  const TokenTree tree = DraftAfter({1, 2, 3, 8, 2, 4, 9, 2, 4, 1, 2}, 2);
  EXPECT_EQ(tree.tokens, (std::vector<uint32_t>{2, 3}));
}

TEST(TokenDrafter, GuessesLessWhereGuessesCostMore) {
  std::vector<uint32_t> tokens;
  for (uint32_t i = 0; i < 100; ++i) tokens.push_back(i % 10);
  EXPECT_EQ(DraftAfter(tokens, 16, kCheap).tokens.size(), 16u);
  const size_t some = DraftAfter(tokens, 16, 0.3f).tokens.size();
  EXPECT_GT(some, 1u);
  EXPECT_LT(some, 16u);
  EXPECT_EQ(DraftAfter(tokens, 16, 1.0f).tokens.size(), 1u);
  EXPECT_EQ(DraftAfter(tokens, 5, kCheap).tokens.size(), 5u);
}

TEST(TokenDrafter, LearnsWhetherGuessesAreRight) {
  // After 0 something new always comes, although 0 is all that repeats.
  TokenDrafter drafter;
  for (uint32_t i = 1; i < 2000; ++i) {
    drafter.Push(0);
    drafter.Push(i);
  }
  drafter.Push(0);
  EXPECT_EQ(drafter.Draft(16, 0.05f).tokens.size(), 1u);
}

TEST(TokenDrafter, SortsGuessesByDistance) {
  std::vector<uint32_t> tokens;
  uint32_t state = 1;
  for (int i = 0; i < 500; ++i) {
    state = state * 1664525u + 1013904223u;
    tokens.push_back(state >> 30);
  }
  const TokenTree tree = DraftAfter(tokens);
  EXPECT_GT(tree.tokens.size(), 4u);
  std::vector<uint32_t> depths = {0};
  for (size_t i = 1; i < tree.tokens.size(); ++i) {
    ASSERT_LT(tree.parents[i], i);
    depths.push_back(depths[tree.parents[i]] + 1);
    EXPECT_GE(depths[i], depths[i - 1]);
    // No guess twice after the same token.
    for (size_t j = 1; j < i; ++j) {
      EXPECT_FALSE(tree.parents[i] == tree.parents[j] &&
                   tree.tokens[i] == tree.tokens[j]);
    }
  }
}

TEST(TokenDrafter, GuessesNothingWithoutAMatch) {
  EXPECT_EQ(DraftAfter({1}).tokens, (std::vector<uint32_t>{1}));
  EXPECT_EQ(DraftAfter({1, 2, 3}).tokens, (std::vector<uint32_t>{3}));
}

}  // namespace
}  // namespace llma
