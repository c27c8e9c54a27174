// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/tokenizer.h"

#include <gtest/gtest.h>

#include <array>
#include <ctime>
#include <string>
#include <vector>

#include "numerics/test_random.h"
#include "tokenizer/bpe.h"

namespace llma {
namespace {

class TokenizerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(model) << model.error().what;
    model_ = *std::move(model);
    auto tokenizer = Tokenizer::Create(model_->tokens(), model_->tokenizer());
    ASSERT_TRUE(tokenizer) << tokenizer.error().what;
    tokenizer_ = *std::move(tokenizer);
  }

  // Checks that the pieces spell the text, and joins them with '|'.
  std::string Encode(const std::string& text) {
    std::string joined;
    size_t pos = 0;
    for (const TextPiece& piece : tokenizer_->Encode(AsBytes(text))) {
      const std::string part = text.substr(pos, piece.size_bytes);
      if (piece.token == TextPiece::kEscape) {
        EXPECT_EQ(piece.size_bytes, 1u);
      } else {
        EXPECT_EQ(AsStringView(model_->tokens().spelling(piece.token)), part);
      }
      joined += (pos == 0 ? "" : "|") + part;
      pos += piece.size_bytes;
    }
    EXPECT_EQ(pos, text.size());
    return joined;
  }

  std::unique_ptr<Model> model_;
  std::unique_ptr<Tokenizer> tokenizer_;
};

TEST_F(TokenizerTest, MergesByRank) {
  EXPECT_EQ(Encode(""), "");
  EXPECT_EQ(Encode("The water in the north"), "The| water| in| the| n|or|th");
  EXPECT_EQ(Encode("another thing"), "an|other| th|ing");
  EXPECT_EQ(Encode("x = 105;"), "x| =| |1|0|5|;");
}

TEST_F(TokenizerTest, BytesWithoutTokensAreEscaped) {
  const std::string text("the\x01the\xff\xc0 the", 13);
  EXPECT_EQ(Encode(text), "the|\x01|the|\xff|\xc0| the");
  const auto pieces = tokenizer_->Encode(AsBytes(text));
  ASSERT_EQ(pieces.size(), 6u);
  EXPECT_EQ(pieces[1].token, TextPiece::kEscape);
  EXPECT_EQ(pieces[3].token, TextPiece::kEscape);
  EXPECT_EQ(pieces[4].token, TextPiece::kEscape);
  EXPECT_EQ(pieces[0].token, pieces[2].token);
}

TEST_F(TokenizerTest, CoversAnyBytes) {
  TestRandom random(1);
  for (int round = 0; round < 300; ++round) {
    std::string text(random.Below(2000), ' ');
    for (char& c : text) {
      c = random.Below(3) == 0 ? static_cast<char>(random.Below(256))
                               : "the ing\n"[random.Below(8)];
    }
    Encode(text);
  }
}

// The definition of byte-pair encoding: again and again, of all adjacent pairs
// that merge, the leftmost of the lowest rank.
std::vector<TextPiece> EncodeSlowly(const MergeTable& merges,
                                    std::vector<TextPiece> pieces) {
  for (;;) {
    size_t best = 0;
    MergeTable::Merge best_merge;
    for (size_t i = 0; i + 1 < pieces.size(); ++i) {
      if (pieces[i].token == TextPiece::kEscape ||
          pieces[i + 1].token == TextPiece::kEscape) {
        continue;
      }
      const auto merge = merges.Find(pieces[i].token, pieces[i + 1].token);
      if (merge.rank < best_merge.rank) {
        best_merge = merge;
        best = i;
      }
    }
    if (best_merge.rank == MergeTable::Merge::kNone) return pieces;
    pieces[best] = {best_merge.token,
                    pieces[best].size_bytes + pieces[best + 1].size_bytes};
    pieces.erase(pieces.begin() + static_cast<ptrdiff_t>(best) + 1);
  }
}

TEST_F(TokenizerTest, TheHeapDoesWhatTheDefinitionSays) {
  const SpellingTable spellings(model_->tokens());
  const auto merges = MergeTable::Create(model_->tokens(), spellings,
                                         model_->tokenizer().merges);
  ASSERT_TRUE(merges);
  std::array<uint32_t, 256> token_of_byte;
  for (uint32_t i = 0; i < 256; ++i) {
    const auto byte = static_cast<uint8_t>(i);
    token_of_byte[i] = spellings.Find({&byte, 1});
  }
  BpeMerger merger(*merges, token_of_byte);
  TestRandom random(2);
  for (int round = 0; round < 3000; ++round) {
    std::string text;
    while (text.size() < random.Below(60)) {
      text +=
          random.Below(30) == 0 ? '\x01' : "  theingaorwd"[random.Below(13)];
    }
    std::vector<TextPiece> start;
    for (const uint8_t byte : AsBytes(text)) {
      start.push_back({token_of_byte[byte], 1});
    }
    const auto expected = EncodeSlowly(*merges, start);
    std::vector<TextPiece> actual;
    merger.Encode(AsBytes(text), actual);
    ASSERT_EQ(actual.size(), expected.size()) << text;
    for (size_t i = 0; i < actual.size(); ++i) {
      EXPECT_EQ(actual[i].token, expected[i].token) << text;
      EXPECT_EQ(actual[i].size_bytes, expected[i].size_bytes) << text;
    }
  }
}

TEST_F(TokenizerTest, SpellingsAreFound) {
  const SpellingTable spellings(model_->tokens());
  for (uint32_t token = 0; token < model_->tokens().num_tokens(); ++token) {
    EXPECT_EQ(spellings.Find(model_->tokens().spelling(token)), token);
  }
  EXPECT_EQ(spellings.Find(AsBytes("no such token")), TextPiece::kEscape);
  EXPECT_EQ(spellings.Find({}), TextPiece::kEscape);
}

// A quadratic algorithm would need minutes.
TEST_F(TokenizerTest, LongLinesAreFast) {
  const std::clock_t start = std::clock();  // of the processor
  for (const char* unit : {"the", " ", "a", "\xff", "=-", "é"}) {
    std::string text;
    while (text.size() < (1 << 20)) text += unit;
    size_t size = 0;
    for (const TextPiece& piece : tokenizer_->Encode(AsBytes(text))) {
      size += piece.size_bytes;
    }
    EXPECT_EQ(size, text.size());
  }
  EXPECT_LT(std::clock() - start, 60 * CLOCKS_PER_SEC);
}

TEST_F(TokenizerTest, WholePiecesWhereMergesAreIgnored) {
  // " return" has no merge path in a table without merges.
  TokenizerSpec spec{"gpt-2", {}};
  auto by_merges = Tokenizer::Create(model_->tokens(), spec);
  ASSERT_TRUE(by_merges);
  EXPECT_EQ((*by_merges)->Encode(AsBytes(" return")).size(), 7u);
  spec.pre_tokenizer = "llama-bpe";
  auto whole = Tokenizer::Create(model_->tokens(), spec);
  ASSERT_TRUE(whole);
  EXPECT_EQ((*whole)->Encode(AsBytes(" return")).size(), 1u);
}

TEST_F(TokenizerTest, BadSpecificationsAreErrors) {
  TokenizerSpec spec = model_->tokenizer();
  spec.pre_tokenizer = "no-such";
  const auto unknown = Tokenizer::Create(model_->tokens(), spec);
  EXPECT_EQ(unknown.error().code, ErrorCode::kUnsupported);
  EXPECT_EQ(unknown.error().what, "unknown pre-tokenizer: no-such");
  spec = model_->tokenizer();
  const uint32_t last = model_->tokens().num_tokens() - 1;
  const uint32_t nonsense[] = {last, last};
  spec.merges = nonsense;
  EXPECT_EQ(Tokenizer::Create(model_->tokens(), spec).error().code,
            ErrorCode::kCorrupt);
}

}  // namespace
}  // namespace llma
