// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/pre_tokenizer.h"

#include <gtest/gtest.h>

#include <numeric>
#include <string>

#include "numerics/test_random.h"

namespace llma {
namespace {

// The pieces, separated by '|'.
std::string Split(const char* name, const std::string& text) {
  const auto pre_tokenizer = PreTokenizer::Create(*FindSplitPattern(name));
  EXPECT_TRUE(pre_tokenizer) << pre_tokenizer.error().what;
  std::string joined;
  size_t pos = 0;
  for (const uint32_t size : pre_tokenizer->Split(AsBytes(text))) {
    joined += (pos == 0 ? "" : "|") + text.substr(pos, size);
    pos += size;
  }
  EXPECT_EQ(pos, text.size());
  return joined;
}

TEST(SplitPatternTest, UnknownNamesAreNull) {
  EXPECT_EQ(FindSplitPattern("default"), nullptr);
  EXPECT_EQ(FindSplitPattern(""), nullptr);
  EXPECT_TRUE(FindSplitPattern("llama-bpe")->ignore_merges);
  EXPECT_FALSE(FindSplitPattern("smollm")->ignore_merges);
}

// What GGUF files say.
TEST(SplitPatternTest, OtherNamesOfTheSame) {
  EXPECT_EQ(FindGgufSplitPattern("llama-bpe")->name, "llama-bpe");
  EXPECT_EQ(FindGgufSplitPattern("falcon3")->name, "llama-bpe");
  EXPECT_EQ(FindGgufSplitPattern("starcoder")->name, "smollm");
  EXPECT_EQ(FindGgufSplitPattern("mpt")->name, "gpt-2");
  EXPECT_EQ(FindGgufSplitPattern("deepseek-r1-qwen")->name, "qwen2");
  EXPECT_EQ(FindGgufSplitPattern("deepseek-llm"), nullptr);
  EXPECT_EQ(FindGgufSplitPattern("sentencepiece"), nullptr);
  EXPECT_EQ(FindSplitPattern("mpt"), nullptr);
}

TEST(PreTokenizerTest, Gpt2) {
  EXPECT_EQ(Split("gpt-2", "I'll pay  1234.50 €, DON'T you?"),
            "I|'ll| pay| | 1234|.|50| €,| DON|'|T| you|?");
  EXPECT_EQ(Split("gpt-2", "a\n\n  b \n"), "a|\n\n | b| \n");
  EXPECT_EQ(Split("gpt-2", "été 中文。"), "été| 中文|。");
  EXPECT_EQ(Split("gpt-2", ""), "");
}

TEST(PreTokenizerTest, SmollmCutsDigitsFirst) {
  EXPECT_EQ(Split("smollm", "x 1234.50"), "x| |1|2|3|4|.|5|0");
  // White space before a digit stays together: the digit is not its neighbour.
  EXPECT_EQ(Split("smollm", "x   7"), "x|   |7");
  EXPECT_EQ(Split("smollm", "x   y"), "x|  | y");
  EXPECT_EQ(Split("smollm", "½٤Ⅷ"), "½|٤|Ⅷ");
}

TEST(PreTokenizerTest, LlamaAndQwenDifferInDigits) {
  EXPECT_EQ(Split("llama-bpe", "You'RE 12345\r\n\r\n  (ok)"),
            "You|'RE| |123|45|\r\n\r\n| | (|ok|)");
  EXPECT_EQ(Split("qwen2", "You'RE 123\r\n\r\n  (ok)"),
            "You|'RE| |1|2|3|\r\n\r\n| | (|ok|)");
  EXPECT_EQ(Split("qwen2", "a.b();\n\n\tx"), "a|.b|();\n\n|\tx");
}

TEST(PreTokenizerTest, DeepseekCoder) {
  EXPECT_EQ(Split("deepseek-coder", "if (x1) {\n\n\treturn 12;  // 中文字ab"),
            "if| (|x|1|)| {|\n|\n|\treturn| |1|2|;| | //| |中文字|ab");
  EXPECT_EQ(Split("deepseek-coder", "中文  \r\n가나 x+y"),
            "中文|  |\r|\n|가나| x|+|y");
}

TEST(PreTokenizerTest, DeepseekV3) {
  EXPECT_EQ(Split("deepseek-v3", "x=.y 12345 日本ごabc, (ok)\n"),
            "x|=.|y| |123|45| |日本ご|abc|,| (|ok|)\n");
}

TEST(PreTokenizerTest, Gpt4oKeepsContractions) {
  EXPECT_EQ(Split("gpt-4o", "It's getFileName 12345 DON'T //\n"),
            "It's| get|File|Name| |123|45| DON'T| //\n");
}

TEST(PreTokenizerTest, SeedCoderCutsBeforeNewLines) {
  EXPECT_EQ(Split("seed-coder", "f(x);\n  y 12"), "f|(x|);|\n| | y| |1|2");
}

TEST(PreTokenizerTest, TekkenCutsBeforeCapitals) {
  EXPECT_EQ(Split("tekken", "getFileName it's 42 a/b\n\n"),
            "get|File|Name| it|'s| |4|2| a|/b|\n\n");
  EXPECT_EQ(Split("tekken", "HTTPServer: x //\n"), "HTTPServer|:| x| //\n");
}

TEST(SplitPatternTest, WholeTokensTellSomeApart) {
  const SplitPattern& llama = *FindSplitPattern("llama-bpe");
  const std::string_view stages[] = {llama.stages[0]};
  EXPECT_EQ(FindSplitPatternByStages(stages, true)->name, "llama-bpe");
  EXPECT_EQ(FindSplitPatternByStages(stages, false)->name, "dbrx");
  const std::string_view smollm[] = {FindSplitPattern("smollm")->stages[0],
                                     FindSplitPattern("smollm")->stages[1]};
  EXPECT_EQ(FindSplitPatternByStages(smollm, false)->name, "smollm");
  EXPECT_EQ(FindSplitPatternByStages(smollm, true), nullptr);
  EXPECT_EQ(FindSplitPatternByStages({smollm, 1}, false), nullptr);
}

TEST(PreTokenizerTest, CoversAnyBytes) {
  TestRandom random(1);
  for (const SplitPattern& pattern : SplitPatterns()) {
    const auto pre_tokenizer = PreTokenizer::Create(pattern);
    ASSERT_TRUE(pre_tokenizer);
    for (int round = 0; round < 500; ++round) {
      std::string text;
      const uint32_t size = random.Below(round < 490 ? 200 : 20000);
      while (text.size() < size) {
        // Half of it text-like, half of it any bytes.
        constexpr char kLikely[] = "aB '\n\r\t7.(\xc3\xa9\xe4\xb8\xad";
        text += random.Below(2) == 0 ? kLikely[random.Below(16)]
                                     : static_cast<char>(random.Below(256));
      }
      const auto sizes = pre_tokenizer->Split(AsBytes(text));
      EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), size_t{0}),
                text.size());
      for (const uint32_t s : sizes) {
        EXPECT_GT(s, 0u);
        EXPECT_LE(s, kMaxPieceBytes);
      }
    }
  }
}

TEST(PreTokenizerTest, LongRunsAreCut) {
  for (const SplitPattern& pattern : SplitPatterns()) {
    for (const std::string unit : {"a", " ", "\n", "é", "中", "-", "\xff"}) {
      std::string text;
      while (text.size() < 100000) text += unit;
      const auto pre_tokenizer = PreTokenizer::Create(pattern);
      ASSERT_TRUE(pre_tokenizer);
      size_t pos = 0;
      for (const uint32_t size : pre_tokenizer->Split(AsBytes(text))) {
        EXPECT_LE(size, kMaxPieceBytes);
        EXPECT_EQ(size % unit.size(), 0u) << "a character was cut";
        pos += size;
      }
      EXPECT_EQ(pos, text.size());
    }
  }
}

// The pattern sees a window of the text; what it makes of a position must not
// depend on how far the text goes on after it.
TEST(PreTokenizerTest, WindowsDoNotShow) {
  const std::string words = "It's 12 o'clock;  we'll go\n\n home. ";
  for (const SplitPattern& pattern : SplitPatterns()) {
    if (pattern.stages[0] == nullptr) continue;  // it cuts nothing
    const auto pre_tokenizer = PreTokenizer::Create(pattern);
    ASSERT_TRUE(pre_tokenizer);
    const auto num_pieces = [&](int periods) {
      std::string text;
      for (int i = 0; i < periods; ++i) text += words;
      return pre_tokenizer->Split(AsBytes(text)).size();
    };
    // A period of words is a period of pieces, apart from both ends.
    const size_t per_period = num_pieces(3) - num_pieces(2);
    EXPECT_EQ(num_pieces(500) - num_pieces(3), 497 * per_period);
    std::string text;
    for (int i = 0; i < 500; ++i) text += words;
    const auto all = pre_tokenizer->Split(AsBytes(text));
    for (size_t i = per_period; i + 2 * per_period < all.size(); ++i) {
      ASSERT_EQ(all[i], all[i + per_period]) << pattern.name << " " << i;
    }
  }
}

}  // namespace
}  // namespace llma
