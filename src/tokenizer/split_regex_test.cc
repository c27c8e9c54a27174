// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/split_regex.h"

#include <gtest/gtest.h>

#include <string>

#include "tokenizer/unicode_table.h"

namespace llma {
namespace {

// The first match; "-" if there is none.
std::string FirstMatch(std::string_view pattern, std::string_view text) {
  const auto regex = SplitRegex::Compile(pattern);
  if (!regex) return "error: " + regex.error().what;
  std::vector<SplitRegex::Choice> choices;
  const auto match = regex->Find(AsBytes(text), choices);
  if (!match) return "-";
  return std::string(text.substr(match->begin, match->end - match->begin));
}

TEST(SplitRegexTest, CharactersAndSets) {
  EXPECT_EQ(FirstMatch("b", "abc"), "b");
  EXPECT_EQ(FirstMatch("é", "abcé"), "é");
  EXPECT_EQ(FirstMatch("[b-d]+", "abcde"), "bcd");
  EXPECT_EQ(FirstMatch("[^b-d]+", "bcdaé"), "aé");
  EXPECT_EQ(FirstMatch("[\u4e00-\u9fa5]+", "ab中文c"), "中文");
  EXPECT_EQ(FirstMatch("[.\\-\\]^$(]+", "a-].^$(b"), "-].^$(");
  EXPECT_EQ(FirstMatch("[a-]+", "b-a"), "-a");
  EXPECT_EQ(FirstMatch("\\p{Lu}\\p{Ll}", "aAb"), "Ab");
  EXPECT_EQ(FirstMatch("[\\p{P}\\p{S}]+", "a1.+€»"), ".+€»");
  EXPECT_EQ(FirstMatch("[\\s\\p{N}]+", "a1 \u00a0\u20282"), "1 \u00a0\u20282");
  EXPECT_EQ(FirstMatch("\\S+", " \n ab\u3000"), "ab");
  EXPECT_EQ(FirstMatch("[\\r\\n]", "a\rb"), "\r");
}

TEST(SplitRegexTest, RepetitionsAreGreedyAndGiveBack) {
  EXPECT_EQ(FirstMatch("a?", "baa"), "a");
  EXPECT_EQ(FirstMatch("ba*", "baaa"), "baaa");
  EXPECT_EQ(FirstMatch("a{2}", "aaa"), "aa");
  EXPECT_EQ(FirstMatch("a{1,3}", "aaaa"), "aaa");
  EXPECT_EQ(FirstMatch("a{2,3}b", "abaaaab"), "aaab");
  EXPECT_EQ(FirstMatch("[ab]*b", "abab aa"), "abab");
  EXPECT_EQ(FirstMatch("[éü]*ü", "éüéüé"), "éüéü");
  EXPECT_EQ(FirstMatch("[ab]+[ab]{2}b", "aaab"), "aaab");
  EXPECT_EQ(FirstMatch("[ab]+[ab]{2}b", "aab"), "-");
  EXPECT_EQ(FirstMatch("\\s+(?!\\S)", "a   b"), "  ");
  EXPECT_EQ(FirstMatch("\\s+(?!\\S)", "a   "), "   ");
  EXPECT_EQ(FirstMatch("\\s+(?!\\S)", "a b"), "-");
}

TEST(SplitRegexTest, TheFirstAlternativeCounts) {
  EXPECT_EQ(FirstMatch("a|ab|c", "ab"), "a");
  EXPECT_EQ(FirstMatch("ab|a|c", "ac"), "a");
  EXPECT_EQ(FirstMatch("ab|a|c", "bc"), "c");
  EXPECT_EQ(FirstMatch("(?:a|ab)c", "abc"), "abc");
  EXPECT_EQ(FirstMatch("x(?:a|ab)?c", "xc"), "xc");
  EXPECT_EQ(FirstMatch("x(?:a|ab)?c|b", "xabc"), "xabc");
  EXPECT_EQ(FirstMatch("(?i:'s|'ll)?x", "'LLx"), "'LLx");
  EXPECT_EQ(FirstMatch("(?i:'s|'t)", "'ſ"), "'ſ");
  EXPECT_EQ(FirstMatch("(?i:'s|'t)x|'S", "'S"), "'S");
  EXPECT_EQ(FirstMatch("(?i:'s)s", "'Ss"), "'Ss");
  EXPECT_EQ(FirstMatch("(?i:'s)s", "'SS"), "-");
}

TEST(SplitRegexTest, EmptyMatchesAndBytesThatAreNotUtf8) {
  EXPECT_EQ(FirstMatch("a*", "bbb"), "-");
  EXPECT_EQ(FirstMatch("a*", "bba"), "a");
  EXPECT_EQ(FirstMatch("[^b]+", "\xff\xc3"), "-");
  EXPECT_EQ(FirstMatch("[^b]+", "a\xff"), "a");
  EXPECT_EQ(FirstMatch("a(?!\\S)", "a\xff"), "a");
  for (const char* text :
       {"\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe0\x80\x80",
        "\xf0\x80\x80\x80", "\x80", "\xe4\xb8", "\xf8\x88\x80\x80\x80"}) {
    EXPECT_EQ(FirstMatch("[^b]+", text), "-");
  }
  EXPECT_EQ(FirstMatch("[^b]", "\xf4\x8f\xbf\xbf"), "\xf4\x8f\xbf\xbf");
}

TEST(SplitRegexTest, WhatIsNotUnderstood) {
  for (const char* pattern :
       {"(a)",         "a)",         "(?:a",  "a**",    "(?:a)+", "[a",
        "\\d",         "\\p{Greek}", "a{",    "a{3,2}", "a{1,}",  ".",
        "^a",          "a$",         "[b-a]", "(?!a",   "(?=a)",  "\\",
        "[[:alpha:]]", "(?i:[a-z])", "\xff"}) {
    const auto regex = SplitRegex::Compile(pattern);
    ASSERT_FALSE(regex) << pattern;
    EXPECT_EQ(regex.error().code, ErrorCode::kInternal);
  }
}

TEST(UnicodeTableTest, Classes) {
  EXPECT_STREQ(kUnicodeVersion, "15.0.0");
  EXPECT_EQ(ClassOf(U'\0'), CharClass::kOther);
  EXPECT_EQ(ClassOf(U'\t'), CharClass::kSpace);
  EXPECT_EQ(ClassOf(U'\x1f'), CharClass::kOther);
  EXPECT_EQ(ClassOf(U'\u0085'), CharClass::kSpace);
  EXPECT_EQ(ClassOf(U'\u180e'), CharClass::kOther);
  EXPECT_EQ(ClassOf(U'\u2003'), CharClass::kSpace);
  EXPECT_EQ(ClassOf(U'A'), CharClass::kUpper);
  EXPECT_EQ(ClassOf(U'ß'), CharClass::kLower);
  EXPECT_EQ(ClassOf(U'\u01c5'), CharClass::kTitle);
  EXPECT_EQ(ClassOf(U'\u02b0'), CharClass::kModifier);
  EXPECT_EQ(ClassOf(U'中'), CharClass::kOtherLetter);
  EXPECT_EQ(ClassOf(U'\uac01'), CharClass::kOtherLetter);
  EXPECT_EQ(ClassOf(U'\u0301'), CharClass::kMark);
  EXPECT_EQ(ClassOf(U'½'), CharClass::kNumber);
  EXPECT_EQ(ClassOf(U'_'), CharClass::kPunctuation);
  EXPECT_EQ(ClassOf(U'€'), CharClass::kSymbol);
  EXPECT_EQ(ClassOf(U'\U0001f600'), CharClass::kSymbol);
  EXPECT_EQ(ClassOf(U'\U0010ffff'), CharClass::kOther);
  EXPECT_EQ(ClassOf(U'\U000323af'), CharClass::kOtherLetter);
  for (size_t i = 1; i < kNumUnicodeRanges; ++i) {
    ASSERT_LT(kUnicodeRanges[i - 1] >> 4, kUnicodeRanges[i] >> 4);
    ASSERT_LE(kUnicodeRanges[i] & 15, 10u);
  }
}

}  // namespace
}  // namespace llma
