// SPDX-License-Identifier: Apache-2.0
#include "cli/args/suggestions.h"

#include <gtest/gtest.h>

namespace llma::cli {
namespace {

TEST(Suggestions, CountsLettersThatDiffer) {
  EXPECT_EQ(EditDistance("", ""), 0u);
  EXPECT_EQ(EditDistance("list", ""), 4u);
  EXPECT_EQ(EditDistance("", "list"), 4u);
  EXPECT_EQ(EditDistance("list", "list"), 0u);
  EXPECT_EQ(EditDistance("lst", "list"), 1u);
  EXPECT_EQ(EditDistance("liist", "list"), 1u);
  EXPECT_EQ(EditDistance("lisp", "list"), 1u);
  EXPECT_EQ(EditDistance("lsit", "list"), 1u);
  EXPECT_EQ(EditDistance("tsil", "list"), 3u);
}

TEST(Suggestions, FindsTheNearestWord) {
  const std::string_view words[] = {"pull", "list", "rm", "verify"};
  EXPECT_EQ(NearestWord("lsit", words), "list");
  EXPECT_EQ(NearestWord("verfy", words), "verify");
  EXPECT_EQ(NearestWord("burn", words), "");
  EXPECT_EQ(NearestWord("rn", words), "");  // two letters say too little
  EXPECT_EQ(NearestWord("rm", words), "rm");
  EXPECT_EQ(NearestWord("", words), "");
}

TEST(Suggestions, FindsTheOption) {
  const auto meant = [](std::string_view word) {
    return MeantOption(word, kCodingTable.long_options);
  };
  EXPECT_EQ(meant("--comress"), "--compress");
  EXPECT_EQ(meant("--windwo=16"), "--window");
  EXPECT_EQ(meant("-best"), "--best");
  EXPECT_EQ(meant("-x"), "");
  EXPECT_EQ(meant("--bogus"), "");
}

TEST(Suggestions, FindsTheCommand) {
  const auto meant = [](std::string word) {
    Options options;
    options.operands = {std::move(word)};
    return MeantCommand(options);
  };
  EXPECT_EQ(meant("compres"), "llma --compress");
  EXPECT_EQ(meant("models"), "llma model");
  EXPECT_EQ(meant("./models"), "");
  EXPECT_EQ(meant("test.txt"), "");
  EXPECT_EQ(meant("notes"), "");
  EXPECT_EQ(meant("-"), "");
  Options options;
  options.operands = {"models", "x"};
  options.is_in_out = true;
  EXPECT_EQ(MeantCommand(options), "");
}

}  // namespace
}  // namespace llma::cli
