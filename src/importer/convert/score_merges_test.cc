// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/score_merges.h"

#include <gtest/gtest.h>

#include "importer/convert/vocabulary.h"

namespace llma {
namespace {

TEST(DecodeSentencePieceTest, ByKind) {
  std::string bytes;
  ASSERT_TRUE(
      DecodeSentencePiece("\u2581a\u2581\u2581b", TokenKind::kText, bytes));
  EXPECT_EQ(bytes, " a  b");
  ASSERT_TRUE(DecodeSentencePiece("<0x0A>", TokenKind::kText, bytes));
  EXPECT_EQ(bytes, "<0x0A>");
  ASSERT_TRUE(DecodeSentencePiece("<0x0A>", TokenKind::kByte, bytes));
  EXPECT_EQ(bytes, "\n");
  ASSERT_TRUE(DecodeSentencePiece("  ", TokenKind::kWhole, bytes));
  EXPECT_EQ(bytes, "  ");
  EXPECT_FALSE(DecodeSentencePiece("a", TokenKind::kNone, bytes));
  EXPECT_FALSE(DecodeSentencePiece("", TokenKind::kText, bytes));
  for (const char* token :
       {"", "a", "<0x0>", "<0x0AB>", "<0x0G>", "<0y0A>", "<0x0a>", "<0x0A)"}) {
    EXPECT_FALSE(DecodeSentencePiece(token, TokenKind::kByte, bytes)) << token;
  }
}

struct Token {
  std::string_view spelling;
  TokenKind kind;
  float score;
};

SourceVocabulary Make(const std::vector<Token>& tokens) {
  SourceVocabulary source;
  for (const auto& [spelling, kind, score] : tokens) {
    source.tokens.push_back(spelling);
    source.kinds.push_back(kind);
    source.scores.push_back(score);
  }
  source.pre_tokenizer = "sentencepiece";
  return source;
}

std::string Joined(SourceVocabulary source) {
  const auto merges = MakeMergesFromScores(source);
  EXPECT_TRUE(merges);
  std::string joined;
  for (const auto& [left, right, result] : *merges) {
    joined.append(source.tokens[left]).append("+");
    joined.append(source.tokens[right]).append(" ");
    EXPECT_EQ(std::string(source.tokens[left]).append(source.tokens[right]),
              source.tokens[result]);
  }
  return joined;
}

TEST(ScoreMergesTest, OrderedByScoreThenIdThenPosition) {
  constexpr TokenKind kText = TokenKind::kText;
  EXPECT_EQ(Joined(Make({{"abc", kText, -1},
                         {"bc", kText, -1},
                         {"ab", kText, 0.5f},
                         {"c", kText, -9},
                         {"b", kText, -9},
                         {"a", kText, -9}})),
            "a+b a+bc ab+c b+c ");
}

TEST(ScoreMergesTest, OnlyTextTokensMerge) {
  SourceVocabulary source = Make({{"a", TokenKind::kText, 0},
                                  {"b", TokenKind::kWhole, 0},
                                  {"ab", TokenKind::kText, 0},
                                  {"aba", TokenKind::kText, 0},
                                  {"aa", TokenKind::kWhole, 0},
                                  {"é", TokenKind::kText, 0}});
  EXPECT_EQ(Joined(source), "");
  ASSERT_TRUE(MakeMergesFromScores(source));
  // Nothing makes "ab", so nothing makes "aba".
  EXPECT_EQ(source.kinds[2], TokenKind::kNone);
  EXPECT_EQ(source.kinds[3], TokenKind::kNone);
  EXPECT_EQ(source.kinds[4], TokenKind::kWhole);
  EXPECT_EQ(source.kinds[5], TokenKind::kText);
}

TEST(ScoreMergesTest, RowsOfAVocabulary) {
  const SourceVocabulary source = Make({{"<s>", TokenKind::kNone, 0},
                                        {"<0x0A>", TokenKind::kByte, 0},
                                        {"<0x61>", TokenKind::kByte, 0},
                                        {"a", TokenKind::kText, -3},
                                        {"\u2581", TokenKind::kText, -4},
                                        {"\u2581a", TokenKind::kText, -1},
                                        {"\n\n", TokenKind::kWhole, 0}});
  const auto vocabulary = ReadVocabulary(source, "");
  ASSERT_TRUE(vocabulary) << vocabulary.error().what;
  // "\n", "\n\n", " ", " a", "a": the character goes before the byte.
  EXPECT_EQ(vocabulary->ids, (std::vector<uint32_t>{1, 6, 4, 5, 3}));
  EXPECT_EQ(vocabulary->start_row, 0u);
  EXPECT_EQ(vocabulary->merges, (std::vector<uint32_t>{2, 4}));
  SourceVocabulary few = source;
  few.scores.pop_back();
  EXPECT_EQ(ReadVocabulary(few, "").error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace llma
