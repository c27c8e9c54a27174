// SPDX-License-Identifier: Apache-2.0
#include "cm/start_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "cm/context_mixer.h"

namespace llma::cm {
namespace {

StartText Choose(std::string_view content) {
  return ChooseStartText(
      {reinterpret_cast<const uint8_t*>(content.data()), content.size()});
}

TEST(StartTextTest, KnowsItsKind) {
  EXPECT_EQ(Choose("In the morning there was nobody to be seen in the street, "
                   "and all of the houses were still dark."),
            StartText::kEnglish);
  EXPECT_EQ(Choose("Am Morgen war niemand auf der Straße zu sehen, und alle "
                   "Häuser der Stadt waren noch dunkel."),
            StartText::kGerman);
  EXPECT_EQ(Choose("#include <stdio.h>\n\nint main(void)\n{\n    return 0;\n}"
                   "\n\nstatic int compare(const void* a, const void* b)\n"),
            StartText::kCode);
  EXPECT_EQ(Choose("<html>\n<head>\n<title>Page</title>\n</head>\n<body>\n"
                   "<table border=\"0\"><tr><td>1</td></tr></table>\n"),
            StartText::kData);
}

TEST(StartTextTest, AnyTextTakesOne) {
  EXPECT_EQ(Choose("2030-01-07 11:12:13 zq9 xk-73: vorn=8 [17/23]\n"
                   "2030-01-07 11:12:15 zq9 xk-75: vorn=9 [18/23]\n"),
            StartText::kData);
}

TEST(StartTextTest, NoneForWhatNoTextResembles) {
  std::string noise;
  for (uint32_t x = 1; noise.size() < 4000;) {
    x = x * 1664525u + 1013904223u;
    noise += static_cast<char>(x >> 24);
  }
  EXPECT_EQ(Choose(noise), StartText::kNone);
  EXPECT_EQ(Choose(std::string(4000, '\0')), StartText::kNone);
  EXPECT_EQ(Choose(""), StartText::kNone);
}

TEST(StartTextTest, SizesAreBounded) {
  EXPECT_TRUE(GetStartText(StartText::kNone, 1 << 20).empty());
  for (uint32_t i = 1; i < kNumStartTexts; ++i) {
    const auto text = static_cast<StartText>(i);
    const std::string_view whole = GetStartText(text, 1 << 20);
    EXPECT_GT(whole.size(), 4096u);
    EXPECT_LT(whole.size(), MaxStartTextBytes(1 << 20));
    const std::string_view part = GetStartText(text, 100);
    EXPECT_EQ(part.size(), 800u);
    EXPECT_TRUE(whole.ends_with(part));
    EXPECT_TRUE(GetStartText(text, 0).empty());
  }
}

// The most probable next bit of a text that the start text has.
TEST(StartTextTest, TeachesTheMixer) {
  constexpr std::string_view kStart = "the quick brown fox. the quick brown ";
  std::vector<uint32_t> certainty;
  for (const std::string_view start : {std::string_view(), kStart}) {
    ContextMixer mixer({.content_bytes = 10, .start_text = start});
    const uint32_t lane = mixer.AddLane(0);
    uint32_t worst = kProbOne;
    for (const char c : std::string_view("the quick")) {
      mixer.BeginByte(lane);
      for (int i = 7; i >= 0; --i) {
        const int bit = c >> i & 1;
        const uint32_t p = mixer.Predict();
        worst = std::min(worst, bit != 0 ? p : kProbOne - p);
        mixer.Update(bit);
      }
    }
    EXPECT_EQ(mixer.lane(lane).num_bytes(), 9u);
    certainty.push_back(worst);
  }
  EXPECT_GT(certainty[1], certainty[0]);
}

}  // namespace
}  // namespace llma::cm
