// SPDX-License-Identifier: Apache-2.0
#include "importer/vocabulary.h"

#include <gtest/gtest.h>

#include <set>

#include "importer/gguf_editor.h"

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

struct Source {
  std::vector<std::string> tokens;
  std::vector<uint32_t> types;
  std::vector<std::string> merges;
};

GgufEditor Edit(const Source& source) {
  GgufEditor e;
  e.SetStrings("tokenizer.ggml.tokens", source.tokens);
  e.SetU32s("tokenizer.ggml.token_type", source.types);
  e.SetStrings("tokenizer.ggml.merges", source.merges);
  return e;
}

Result<Vocabulary> Read(const GgufEditor& editor, const char* start = "") {
  const std::vector<uint8_t> bytes = editor.Encode();
  LLMA_ASSIGN(const GgufReader gguf, GgufReader::Parse(bytes));
  return ReadVocabulary(gguf, start);
}

const Source kSource = {{"<|endoftext|>", "<s>", "b", "a", "ab", "\u0120", "a",
                         "\u4e2d", "x\u0120"},
                        {3, 3, 1, 1, 1, 1, 1, 1, 6},
                        {"a b", "b a", "a \u4e2d", "x \u0120"}};

TEST(VocabularyTest, RowsAreSortedAndUnique) {
  GgufEditor e = Edit(kSource);
  e.SetU32("tokenizer.ggml.bos_token_id", 1);
  const auto vocabulary = Read(e);
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
  GgufEditor e = Edit(kSource);
  e.SetU32("tokenizer.ggml.bos_token_id", 1);
  EXPECT_EQ(Read(e, "<|endoftext|>")->start_row, 4u);
  // A token that can be predicted needs no row of its own.
  const auto spelled = Read(e, "ab");
  EXPECT_EQ(spelled->start_row, 2u);
  EXPECT_EQ(spelled->ids.size(), 5u);
  EXPECT_EQ(Read(e, "nothing").error().code, ErrorCode::kUsage);
  e.SetU32("tokenizer.ggml.bos_token_id", 9);
  EXPECT_EQ(Read(e).error().code, ErrorCode::kCorrupt);
}

TEST(VocabularyTest, ANewLineIsTheFirstChoice) {
  Source source = kSource;
  source.tokens[5] = "\u010a";
  GgufEditor e = Edit(source);
  e.SetU32("tokenizer.ggml.bos_token_id", 1);
  const auto vocabulary = Read(e);
  ASSERT_TRUE(vocabulary);
  EXPECT_EQ(vocabulary->start_row, 0u);
  // Of the others, only the end of a text gets a row.
  EXPECT_EQ(vocabulary->ids, (std::vector<uint32_t>{5, 3, 4, 2, 0}));
}

TEST(VocabularyTest, WithoutABeginningTheEndWillDo) {
  GgufEditor e = Edit(kSource);
  EXPECT_EQ(Read(e)->start_row, 4u);
  Source renamed = kSource;
  renamed.tokens[0] = "<eos>";
  e = Edit(renamed);
  EXPECT_EQ(Read(e).error().code, ErrorCode::kUnsupported);
  e.SetU32("tokenizer.ggml.eos_token_id", 0);
  const auto vocabulary = Read(e);
  ASSERT_TRUE(vocabulary);
  EXPECT_EQ(vocabulary->ids[vocabulary->start_row], 0u);
}

TEST(VocabularyTest, RefusesWhatMakesNoSense) {
  Source few = kSource;
  few.types.pop_back();
  EXPECT_EQ(Read(Edit(few)).error().code, ErrorCode::kUnsupported);
  Source none = kSource;
  none.types.assign(none.tokens.size(), 3);
  EXPECT_EQ(Read(Edit(none)).error().code, ErrorCode::kUnsupported);
  Source bad = kSource;
  bad.merges.push_back("ab");
  EXPECT_EQ(Read(Edit(bad)).error().code, ErrorCode::kCorrupt);
  GgufEditor missing = Edit(kSource);
  missing.values.erase("tokenizer.ggml.merges");
  EXPECT_EQ(Read(missing).error().code, ErrorCode::kUnsupported);
}

}  // namespace
}  // namespace llma
