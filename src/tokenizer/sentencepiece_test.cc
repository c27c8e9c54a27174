// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/sentencepiece.h"

#include <gtest/gtest.h>

#include <ctime>
#include <map>
#include <string>
#include <vector>

#include "numerics/test_random.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/tokenizer.h"

namespace llma {
namespace {

class SentencePieceTest : public testing::Test {
 protected:
  using Merges = std::vector<std::pair<std::string, std::string>>;

  void Make(const std::vector<std::string>& tokens, const Merges& merges) {
    std::map<std::string, uint32_t> rows;
    for (const std::string& token : tokens) rows[token] = 0;
    offsets_ = {0};
    bytes_.clear();
    merges_.clear();
    uint32_t num_rows = 0;
    for (auto& [token, row] : rows) {
      row = num_rows++;
      bytes_.insert(bytes_.end(), token.begin(), token.end());
      offsets_.push_back(static_cast<uint32_t>(bytes_.size()));
    }
    for (const auto& [left, right] : merges) {
      merges_.push_back(rows.at(left));
      merges_.push_back(rows.at(right));
    }
    auto tokenizer = Tokenizer::Create(Tokens(), {"sentencepiece", merges_});
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    tokenizer_ = *std::move(tokenizer);
  }

  TokenTable Tokens() const { return {offsets_, bytes_}; }

  // Checks that the pieces spell the text; joins them with '|', a byte that no
  // token spells is '?'.
  std::string Encode(const std::string& text) {
    std::string joined;
    size_t pos = 0;
    for (const auto& [row, size] : tokenizer_->Encode(AsBytes(text))) {
      if (pos > 0) joined += "|";
      if (row == TextPiece::kEscape) {
        EXPECT_EQ(size, 1u);
        joined += "?";
      } else {
        const auto spelling = AsStringView(Tokens().spelling(row));
        EXPECT_EQ(spelling, text.substr(pos, size));
        joined += spelling;
      }
      pos += size;
    }
    EXPECT_EQ(pos, text.size());
    return joined;
  }

  std::vector<uint32_t> offsets_;
  std::vector<uint8_t> bytes_;
  std::vector<uint32_t> merges_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(SentencePieceTest, MergesCrossBlanks) {
  Make({"a", "b", " ", " a", "b a", "ab"},
       {{" ", "a"}, {"b", " a"}, {"a", "b"}});
  EXPECT_EQ(Encode("ab ab"), "a|b a|b");
  EXPECT_EQ(Encode("abab"), "ab|ab");
  EXPECT_EQ(Encode("a?b"), "a|?|b");
}

TEST_F(SentencePieceTest, CharactersWithoutATokenAreBytes) {
  // e acute has a token, the euro sign and half a character have bytes.
  Make({"é", "é ", " ", "\xc3", "\xe2", "\x82", "\xac"}, {{"é", " "}});
  EXPECT_EQ(Encode("é é"), "é |é");
  EXPECT_EQ(Encode("€\xc3 \xe2\x82"), "\xe2|\x82|\xac|\xc3| |\xe2|\x82");
  EXPECT_EQ(Encode("\xa9 \xff"), "?| |?");
}

TEST_F(SentencePieceTest, WholeTokensComeFirst) {
  Make({"a", "\n", "\n\n", "\n\n\n", "<", "b", ">", "<b>", "<b", "a<"},
       {{"a", "<"}, {"<", "b"}});
  EXPECT_EQ(Encode("a\n\n\n\n\na"), "a|\n\n\n|\n\n|a");
  EXPECT_EQ(Encode("a<b>a<b"), "a|<b>|a<|b");
  EXPECT_EQ(Encode("<b<b>\n"), "<b|<b>|\n");
}

// All splits of a token have one rank, as they have one score.
TEST_F(SentencePieceTest, SplitsOfATokenAreEqual) {
  const Merges merges = {{"a", "a"}, {"a", "aa"}, {"aa", "a"}};
  Make({"a", "aa", "aaa"}, merges);
  EXPECT_EQ(Encode("aaaaa"), "aa|aaa");
  const SpellingTable spellings(Tokens());
  const auto shared = MergeTable::Create(Tokens(), spellings, merges_, true);
  const auto own = MergeTable::Create(Tokens(), spellings, merges_);
  ASSERT_TRUE(shared && own);
  EXPECT_EQ(shared->Find(0, 1).rank, 1u);
  EXPECT_EQ(shared->Find(1, 0).rank, 1u);
  EXPECT_EQ(own->Find(1, 0).rank, 2u);
}

TEST_F(SentencePieceTest, CoversAnyBytes) {
  Make({"a", "ab", "b", "é", " ", " a", "\xc3", "<ab>", "ab é", "\x80"},
       {{"a", "b"}, {" ", "a"}});
  TestRandom random(1);
  for (int round = 0; round < 300; ++round) {
    std::string text(random.Below(2000), ' ');
    for (char& c : text) {
      c = random.Below(4) == 0 ? static_cast<char>(random.Below(256))
                               : "ab \xc3\xa9<>\x80"[random.Below(8)];
    }
    Encode(text);
  }
}

// A quadratic algorithm would need minutes.
TEST_F(SentencePieceTest, LongRunsAreFast) {
  Make({"a", "aa", "aaaa", "é", "éé", "<a", std::string(500, 'b') + "c"},
       {{"a", "a"}, {"aa", "aa"}, {"é", "é"}});
  const std::clock_t start = std::clock();  // of the processor
  for (const char* unit : {"a", "é", "b", "\xff", "<"}) {
    std::string text;
    while (text.size() < (1 << 15)) text += unit;
    Encode(text);
  }
  EXPECT_LT(std::clock() - start, 60 * CLOCKS_PER_SEC);
}

}  // namespace
}  // namespace llma
