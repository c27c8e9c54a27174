// SPDX-License-Identifier: Apache-2.0
#include "cm/lane_history.h"

#include <gtest/gtest.h>

#include <string_view>

namespace llma::cm {
namespace {

LaneHistory After(std::string_view text, uint32_t begin = 0) {
  LaneHistory lane(begin);
  for (const char c : text) lane.Append(static_cast<uint8_t>(c));
  return lane;
}

TEST(LaneHistory, FollowsWords) {
  const LaneHistory lane = After("The cat, THE dog the");
  EXPECT_EQ(lane.word, lane.words[1]);  // case does not matter
  EXPECT_EQ(lane.word, After("the").word);
  EXPECT_EQ(lane.words[0], After("dog").word);
  EXPECT_EQ(lane.word_length, 3u);
  EXPECT_EQ(After("word.").word, 0u);
}

TEST(LaneHistory, FoldsCaseDigitsAndWhiteSpace) {
  EXPECT_EQ(After("Ab 12\n\t x").folded8, After("aB\n99 X").folded8);
  EXPECT_NE(After("ab 1").folded8, After("ab1").folded8);
  EXPECT_NE(After("ab 1").folded8, After("ab x").folded8);
}

TEST(LaneHistory, FollowsLinesFromItsBegin) {
  const LaneHistory lane = After("ab\n  cd\nx", 100);
  EXPECT_EQ(lane.line_begin_ofs, 108u);
  EXPECT_EQ(lane.line_above_ofs, 103u);
  EXPECT_EQ(lane.line_above_length, 5u);
  EXPECT_EQ(lane.column(), 1u);
  EXPECT_EQ(After("  cd").indent, 2u);
  EXPECT_EQ(After("", 100).line_above_ofs, 100u);
}

TEST(LaneHistory, FollowsElementsAndKeys) {
  EXPECT_EQ(After("<a><b x='1'>t").tag_depth, 2u);
  EXPECT_EQ(After("<a><b/></a>").tag_depth, 0u);
  EXPECT_EQ(After("</a></a>").tag_depth, 0u);
  EXPECT_EQ(After("{\"k\": [1, {").bracket_depth, 3u);
  EXPECT_EQ(After("{\"k\": {}, \"j\":").key, After("\"j\":").key);
  EXPECT_NE(After("{\"k\": ").key, After("{\"j\": ").key);
  EXPECT_EQ(After("}}]").bracket_depth, 0u);
}

TEST(LaneHistory, SurvivesDeepNesting) {
  LaneHistory lane(0);
  for (int i = 0; i < 1000; ++i) {
    for (const char c : {'<', 'a', '>', '(', '\n'}) {
      lane.Append(static_cast<uint8_t>(c));
    }
  }
  for (int i = 0; i < 2000; ++i) {
    for (const char c : {'<', '/', 'a', '>', ')'}) {
      lane.Append(static_cast<uint8_t>(c));
    }
  }
  EXPECT_EQ(lane.tag_depth, 0u);
  EXPECT_EQ(lane.bracket_depth, 0u);
}

TEST(LaneHistory, IdeographsAreWords) {
  const LaneHistory lane = After("\u4e2d\u6587\u3002 a\u2014b");
  EXPECT_EQ(lane.word_count, 4u);  // three characters and "a"
  EXPECT_EQ(lane.words[0], After("x a ").words[0]);
  EXPECT_EQ(lane.words[2], After("\u6587 ").words[0]);
}

TEST(LaneHistory, KeysReturnWhenObjectsEnd) {
  const LaneHistory lane = After("{\"a\":{\"b\":1}");
  EXPECT_EQ(lane.key, After("{\"a\":").key);
  EXPECT_EQ(lane.path, After("{").path);
}

}  // namespace
}  // namespace llma::cm
