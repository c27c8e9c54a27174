// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/inspection.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

namespace llma::cli {
namespace {

Inspection Sample() {
  Inspection sample;
  sample.name = "a</script>.txt";
  sample.level = 6;
  const auto add = [&](std::string bytes, double bits) {
    InspectedPiece piece;
    piece.content_ofs = sample.content_bytes;
    piece.bytes = bytes;
    piece.bits = bits;
    piece.model_bits = bits + 1;
    piece.alternatives = {{"</", 0.5}, {" x", 0.25}};
    sample.pieces.push_back(piece);
    sample.content_bytes += bytes.size();
    sample.bits += bits;
  };
  add("</script>", 9);
  add("\xe2\x82", 1);  // the first two bytes of a euro sign
  add("\xac!", 2);
  add(std::string("\xff\0", 2), 3);
  add("\xe2", 4);
  return sample;
}

TEST(InspectionTest, CharactersStandWhereTheyAreComplete) {
  EXPECT_EQ(ShownTexts(Sample()),
            (std::vector<std::string>{"</script>", "", "\u20ac!", "\\xFF\\x00",
                                      "\\xE2"}));
}

TEST(InspectionTest, WhatIsNoUtf8IsEscaped) {
  EXPECT_EQ(ShownText("a\nb\tc"), "a\nb\tc");
  EXPECT_EQ(ShownText("\xc0\xaf"), "\\xC0\\xAF");           // too long a form
  EXPECT_EQ(ShownText("\xed\xa0\x80"), "\\xED\\xA0\\x80");  // a surrogate
  EXPECT_EQ(ShownText("\xf4\x90\x80\x80"), "\\xF4\\x90\\x80\\x80");
  EXPECT_EQ(ShownText("\xf0\x9f\x98\x80"), "\xf0\x9f\x98\x80");
}

TEST(InspectionTest, PassagesAreTheBestAndApart) {
  Inspection text;
  for (int i = 0; i < 100; ++i) {
    InspectedPiece piece;
    piece.bytes = "a ";
    piece.bits = i >= 40 && i < 50 ? 10 : i >= 70 && i < 80 ? 8 : 1;
    text.pieces.push_back(piece);
  }
  const auto dearest = FindPassages(text, 20, 2, true);
  ASSERT_EQ(dearest.size(), 2u);
  EXPECT_EQ(dearest[0].first_piece, 40u);
  EXPECT_EQ(dearest[0].num_pieces, 10u);
  EXPECT_DOUBLE_EQ(dearest[0].bits, 100);
  EXPECT_EQ(dearest[1].first_piece, 70u);
  const auto cheapest = FindPassages(text, 20, 3, false);
  ASSERT_EQ(cheapest.size(), 3u);
  for (const Passage& passage : cheapest) EXPECT_DOUBLE_EQ(passage.bits, 10);
  EXPECT_TRUE(FindPassages(text, 1000, 3, false).empty());
}

// One piece for each of `parts`, whose bits say how long it is.
Inspection TextOf(const std::vector<std::string>& parts) {
  Inspection text;
  for (const std::string& part : parts) {
    text.pieces.emplace_back().bytes = part;
    text.pieces.back().bits = static_cast<double>(part.size());
  }
  return text;
}

std::vector<std::string> PassagesOf(const Inspection& text,
                                    uint64_t min_bytes) {
  std::vector<std::string> found;
  for (const Passage& p : FindPassages(text, min_bytes, 3, true)) {
    std::string& passage = found.emplace_back();
    for (size_t i = 0; i < p.num_pieces; ++i) {
      passage += text.pieces[p.first_piece + i].bytes;
    }
    EXPECT_EQ(passage.size(), p.size_bytes);
    EXPECT_DOUBLE_EQ(static_cast<double>(passage.size()), p.bits);
  }
  return found;
}

TEST(InspectionTest, PassagesAreWholeWords) {
  Inspection text =
      TextOf({"Un", "believ", "able", " num", "bers", ",", " un", "der", "."});
  text.pieces[1].bits = text.pieces[4].bits = 6;
  // Not "able num", nor ", under".
  EXPECT_EQ(FindPassages(text, 3, 1, true)[0].first_piece, 3u);
  EXPECT_EQ(FindPassages(text, 3, 1, true)[0].num_pieces, 2u);
  text = TextOf({"Un", "believ", "able", " num", "bers", ",", " un", "der"});
  EXPECT_EQ(PassagesOf(text, 10), (std::vector<std::string>{"Unbelievable"}));
  // Chinese has no blanks; a character may be several pieces.
  text = TextOf({"\u4eba", "\xe8\x87", "\xaa", "\u7531"});
  EXPECT_EQ(PassagesOf(text, 5)[0], "\u4eba\u81ea");
}

TEST(InspectionTest, PassagesOfNothingButBlanksAreNone) {
  EXPECT_TRUE(
      PassagesOf(TextOf(std::vector<std::string>(50, "\n    ")), 20).empty());
  EXPECT_EQ(PassagesOf(TextOf({"a", "\n", "     ", " words", " here"}), 8)[0],
            " words here");
}

TEST(InspectionTest, AWordOfAnyLengthIsCut) {
  const auto found =
      PassagesOf(TextOf(std::vector<std::string>(100, "word")), 40);
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].size(), 80u);
}

TEST(InspectionTest, RoundedBitsAddUp) {
  Inspection text = TextOf(std::vector<std::string>(3'000, "x"));
  for (InspectedPiece& piece : text.pieces) piece.bits = 0.000'44;
  const std::string page = InspectionPage(text);
  const size_t begin = page.find('{', page.find("id=\"data\""));
  const auto data = nlohmann::json::parse(
      page.substr(begin, page.find("</script>", begin) - begin));
  int64_t sum = 0;
  for (const auto& bits : data["pieceBits"]) sum += bits.get<int64_t>();
  EXPECT_EQ(sum, 132);  // hundredths
  double json_sum = 0;
  const auto json = nlohmann::json::parse(InspectionJson(text));
  for (const auto& piece : json["pieces"]) {
    json_sum += piece["bits"].get<double>();
  }
  EXPECT_NEAR(json_sum, 1.32, 1e-3);
}

TEST(InspectionTest, JsonTellsEverything) {
  const auto json = nlohmann::json::parse(InspectionJson(Sample()));
  EXPECT_EQ(json["content_bytes"], 16);
  EXPECT_DOUBLE_EQ(json["bits"], 19);
  ASSERT_EQ(json["pieces"].size(), 5u);
  EXPECT_EQ(json["pieces"][0]["text"], "</script>");
  EXPECT_FALSE(json["pieces"][0].contains("hex"));
  EXPECT_EQ(json["pieces"][1]["hex"], "e282");
  EXPECT_EQ(json["pieces"][2]["offset"], 11);
  EXPECT_DOUBLE_EQ(json["pieces"][2]["bits"], 2);
  EXPECT_DOUBLE_EQ(json["pieces"][2]["model_bits"], 3);
  EXPECT_DOUBLE_EQ(json["pieces"][0]["alternatives"][1]["probability"], 0.25);
}

TEST(InspectionTest, ThePageNeedsNothingAndHoldsAnyText) {
  const std::string page = InspectionPage(Sample());
  // Only the page's own two scripts end.
  size_t ends = 0;
  for (size_t at = page.find("</script>"); at != std::string::npos;
       at = page.find("</script>", at + 1)) {
    ++ends;
  }
  EXPECT_EQ(ends, 2u);
  EXPECT_EQ(page.find("http:"), page.find("http://www.w3.org/2000/svg"));
  EXPECT_EQ(page.find("https:"), std::string::npos);
  const size_t begin = page.find('{', page.find("id=\"data\""));
  const size_t end = page.find("</script>", begin);
  const auto data = nlohmann::json::parse(page.substr(begin, end - begin));
  EXPECT_EQ(data["file"], "a</script>.txt");
  EXPECT_EQ(data["texts"].size(), 5u);
  EXPECT_EQ(data["pieceBits"][0], 900);
  EXPECT_EQ(data["modelBits"][0], 1000);
  EXPECT_EQ(data["alternatives"][0][1], 500);
}

TEST(InspectionTest, AnEmptyTextIsAPageToo) {
  Inspection nothing;
  nothing.name = "empty";
  EXPECT_NE(InspectionPage(nothing).find("<title>empty"), std::string::npos);
  EXPECT_EQ(nlohmann::json::parse(InspectionJson(nothing))["pieces"].size(),
            0u);
}

}  // namespace
}  // namespace llma::cli
