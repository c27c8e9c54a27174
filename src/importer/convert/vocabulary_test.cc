// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/vocabulary.h"

#include <gtest/gtest.h>

#include <set>

namespace llma {
namespace {

// GPT-2's spelling of a byte, by its rule.
std::string SpellByte(uint32_t byte) {
  uint32_t next = 256;
  for (uint32_t b = 0;; ++b) {
    const bool printable =
        (b >= '!' && b <= '~') || (b >= 0xa1 && b <= 0xac) || b >= 0xae;
    const uint32_t c = printable ? b : next++;
    if (b != byte) continue;
    if (c < 0x80) return std::string(1, static_cast<char>(c));
    return {static_cast<char>(0xc0 | c >> 6),
            static_cast<char>(0x80 | (c & 0x3f))};
  }
}

TEST(DecodeByteLevelTest, EveryByte) {
  std::string all, bytes;
  std::set<std::string> spellings;
  for (uint32_t b = 0; b < 256; ++b) {
    ASSERT_TRUE(DecodeByteLevel(SpellByte(b), bytes));
    EXPECT_EQ(bytes, std::string(1, static_cast<char>(b)));
    spellings.insert(SpellByte(b));
    all += SpellByte(b);
  }
  EXPECT_EQ(spellings.size(), 256u);
  ASSERT_TRUE(DecodeByteLevel(all, bytes));
  EXPECT_EQ(bytes.size(), 256u);
  EXPECT_TRUE(DecodeByteLevel("\u0120the\u010a", bytes));
  EXPECT_EQ(bytes, " the\n");
}

TEST(DecodeByteLevelTest, OtherCharacters) {
  std::string bytes;
  for (const char* token :
       {" ", "\n", "a b", "\u00ad", "\u0144", "\u0394", "\u4e2d", "\U0001f600",
        "\xc4", "\xc4z", "\x80", "\xc0\x80", "\xff"}) {
    EXPECT_FALSE(DecodeByteLevel(token, bytes)) << token;
  }
}

// Control tokens 0 and 1, an unused token 8, and "a" twice.
SourceVocabulary Sample() {
  SourceVocabulary source;
  source.tokens = {"<|endoftext|>", "<s>", "b",      "a",      "ab",
                   "\u0120",        "a",   "\u4e2d", "x\u0120"};
  source.kinds.assign(9, TokenKind::kText);
  for (const size_t id : {0, 1, 8}) source.kinds[id] = TokenKind::kNone;
  source.merges = {{"a", "b"}, {"b", "a"}, {"a", "\u4e2d"}, {"x", "\u0120"}};
  return source;
}

TEST(VocabularyTest, RowsAreSortedAndUnique) {
  SourceVocabulary source = Sample();
  source.begin_id = 1;
  const auto vocabulary = ReadVocabulary(source, "");
  ASSERT_TRUE(vocabulary) << vocabulary.error().what;
  // " ", "a" (the lower of two ids), "ab", "b"; then what can only be fed.
  EXPECT_EQ(vocabulary->ids, (std::vector<uint32_t>{5, 3, 4, 2, 0, 1}));
  EXPECT_EQ(vocabulary->num_tokens, 4u);
  EXPECT_EQ(vocabulary->start_row, 5u);
  EXPECT_EQ(AsStringView(vocabulary->tokens().spelling(0)), " ");
  EXPECT_EQ(AsStringView(vocabulary->tokens().spelling(2)), "ab");
  // Only "a b" makes a token: "ba" does not exist, others are not spellable.
  EXPECT_EQ(vocabulary->merges, (std::vector<uint32_t>{1, 3}));
}

TEST(VocabularyTest, TheStartTokenCanBeChosen) {
  SourceVocabulary source = Sample();
  source.begin_id = 1;
  EXPECT_EQ(ReadVocabulary(source, "<|endoftext|>")->start_row, 4u);
  // A token that can be predicted needs no row of its own.
  const auto spelled = ReadVocabulary(source, "ab");
  EXPECT_EQ(spelled->start_row, 2u);
  EXPECT_EQ(spelled->ids.size(), 5u);
  EXPECT_EQ(ReadVocabulary(source, "nothing").error().code, ErrorCode::kUsage);
  source.begin_id = 9;
  EXPECT_EQ(ReadVocabulary(source, "").error().code, ErrorCode::kCorrupt);
}

TEST(VocabularyTest, ANewLineIsTheFirstChoice) {
  SourceVocabulary source = Sample();
  source.tokens[5] = "\u010a";
  source.begin_id = 1;
  const auto vocabulary = ReadVocabulary(source, "");
  ASSERT_TRUE(vocabulary);
  EXPECT_EQ(vocabulary->start_row, 0u);
  // Of the others, only the end of a text gets a row.
  EXPECT_EQ(vocabulary->ids, (std::vector<uint32_t>{5, 3, 4, 2, 0}));
}

TEST(VocabularyTest, WhatNeedsABeginningGetsIt) {
  SourceVocabulary source = Sample();
  source.tokens[5] = "\u010a";
  source.starts_with_begin = true;
  EXPECT_EQ(ReadVocabulary(source, "")->start_row, 0u);  // none is known
  source.begin_id = 1;
  auto vocabulary = ReadVocabulary(source, "");
  EXPECT_EQ(vocabulary->ids[vocabulary->start_row], 1u);
  source.begin_id.reset();
  source.tokens[4] = "<bos>";
  vocabulary = ReadVocabulary(source, "");
  EXPECT_EQ(vocabulary->ids[vocabulary->start_row], 4u);
}

TEST(VocabularyTest, WithoutABeginningTheEndWillDo) {
  SourceVocabulary source = Sample();
  EXPECT_EQ(ReadVocabulary(source, "")->start_row, 4u);
  source.tokens[0] = "<eos>";
  EXPECT_EQ(ReadVocabulary(source, "").error().code, ErrorCode::kUnsupported);
  source.end_id = 0;
  const auto vocabulary = ReadVocabulary(source, "");
  ASSERT_TRUE(vocabulary);
  EXPECT_EQ(vocabulary->ids[vocabulary->start_row], 0u);
}

TEST(VocabularyTest, RefusesWhatMakesNoSense) {
  SourceVocabulary few = Sample();
  few.kinds.pop_back();
  EXPECT_EQ(ReadVocabulary(few, "").error().code, ErrorCode::kUnsupported);
  SourceVocabulary none = Sample();
  none.kinds.assign(none.tokens.size(), TokenKind::kNone);
  EXPECT_EQ(ReadVocabulary(none, "").error().code, ErrorCode::kUnsupported);
}

TEST(VocabularyTest, MergesAreSplitAtTheirSpace) {
  const auto merge = SplitMerge("a bc");
  ASSERT_TRUE(merge);
  EXPECT_EQ(merge->left, "a");
  EXPECT_EQ(merge->right, "bc");
  EXPECT_EQ(SplitMerge("ab").error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(SplitMerge("").error().code, ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace llma
