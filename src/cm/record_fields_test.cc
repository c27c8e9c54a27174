// SPDX-License-Identifier: Apache-2.0
#include "cm/record_fields.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "cm/lane_history.h"

namespace llma::cm {
namespace {

// What each kind of field expects next after `text`, 0 for nothing.
std::string ExpectedAfter(std::string_view text) {
  std::vector<uint8_t> content(text.begin(), text.end());
  content.resize(text.size() + 8);
  LaneHistory lane(0);
  RecordFields fields(PageSize::kSmall);
  for (const char c : text) {
    lane.Append(static_cast<uint8_t>(c));
    fields.Append(content, lane);
  }
  std::string expected;
  for (const FieldCursor& cursor : lane.cursors) {
    expected += static_cast<char>(cursor.expected & 255);
  }
  return expected;
}

TEST(RecordFieldsTest, FieldsOfTheLineAbove) {
  EXPECT_EQ(ExpectedAfter("ab,cd,ef\nxy,")[kField], 'c');
  EXPECT_EQ(ExpectedAfter("ab,cd,ef\nxy,c")[kField], 'd');
  // Fields are as long as they are, and may hold separators in quotes.
  EXPECT_EQ(ExpectedAfter("a,\"b,c\",def\nlong,\"d\",d")[kField], 'e');
}

TEST(RecordFieldsTest, ItemsOfTheLineAbove) {
  EXPECT_EQ(ExpectedAfter("10:20 host run\n11:30  h")[kItem], 'o');
}

TEST(RecordFieldsTest, ElementsAndAttributes) {
  const std::string_view kRecord = "<a><b id=\"17\">red</b><c>cat</c></a>\n";
  const std::string before = std::string(kRecord);
  EXPECT_EQ(ExpectedAfter(before + "<a><b id=\"")[kStructure], '1');
  EXPECT_EQ(ExpectedAfter(before + "<a><b id=\"18\">")[kStructure], 'r');
  EXPECT_EQ(ExpectedAfter(before + "<a><b id=\"1\">x</b><c>c")[kStructure],
            'a');
}

TEST(RecordFieldsTest, KeysOfObjects) {
  EXPECT_EQ(ExpectedAfter("{\"a\":\"one\",\"b\":2}\n{\"a\":\"")[kStructure],
            'o');
}

TEST(RecordFieldsTest, NothingIsExpectedAtFirst) {
  EXPECT_EQ(ExpectedAfter("ab"), std::string(3, '\0'));
}

}  // namespace
}  // namespace llma::cm
