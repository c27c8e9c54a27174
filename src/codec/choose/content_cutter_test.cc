// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/content_cutter.h"

#include <gtest/gtest.h>

#include <string>

#include "numerics/test_random.h"

namespace llma {
namespace {

std::string Text(size_t size) {
  std::string text;
  while (text.size() < size) text += "na\xc3\xafve words, \xe4\xb8\xad\n";
  return text.substr(0, size);
}

std::string Noise(size_t size) {
  TestRandom random(4);
  std::string noise(size, '\0');
  for (char& c : noise) c = static_cast<char>(random.Next());
  return noise;
}

// The offset of the cut if the content comes in pieces.
size_t CutAt(const std::string& content, size_t step_bytes) {
  ContentCutter cutter;
  for (size_t size = 0; size < content.size();) {
    size = std::min(size + step_bytes, content.size());
    if (const auto cut = cutter.FindCut(AsBytes(content).first(size))) {
      return *cut;
    }
  }
  return 0;
}

TEST(ContentCutter, KnowsText) {
  EXPECT_TRUE(LooksLikeText(AsBytes(Text(4096))));
  EXPECT_TRUE(LooksLikeText(AsBytes(Text(4095))));  // a sequence cut off
  EXPECT_TRUE(LooksLikeText(AsBytes("caf\xe9 in Latin-1, and more of it")));
  EXPECT_TRUE(LooksLikeText({}));
  EXPECT_FALSE(LooksLikeText(AsBytes(Noise(4096))));
  EXPECT_FALSE(LooksLikeText(AsBytes(std::string(4096, '\0'))));
  EXPECT_FALSE(LooksLikeText(AsBytes(std::string(4096, '\xff'))));
}

TEST(ContentCutter, CutsWhereTheKindChanges) {
  for (const size_t step : {size_t{1000}, size_t{4096}, size_t{1} << 20}) {
    EXPECT_EQ(CutAt(Text(100000) + Noise(100000), step), 98304u);
    EXPECT_EQ(CutAt(Noise(1 << 17) + Text(1 << 17), step), 1u << 17);
    EXPECT_EQ(CutAt(Text(300000), step), 0u);
    EXPECT_EQ(CutAt(Noise(300000), step), 0u);
  }
}

TEST(ContentCutter, LeavesShortPartsAlone) {
  EXPECT_EQ(CutAt(Text(100000) + Noise(60000) + Text(100000), 4096), 0u);
  EXPECT_EQ(CutAt(Text(100000) + Noise(30000), 4096), 0u);
  // A short start goes with what follows, up to the next change.
  EXPECT_EQ(CutAt(Text(8192) + Noise(1 << 17) + Text(1 << 17), 4096),
            8192u + (1 << 17));
}

}  // namespace
}  // namespace llma
