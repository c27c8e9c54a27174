// SPDX-License-Identifier: Apache-2.0
// What reading costs at most, for each byte that goes in or comes out. The
// bounds are some eight times what bench/worst_cases measures: for other
// machines, and for other work beside the test.
#include <gtest/gtest.h>

#include <algorithm>

#include "codec/short/decompress_short.h"
#include "fuzz/hostile_file.h"

namespace llma {
namespace {

constexpr uint64_t kMaxContentBytes = 256 << 10;
constexpr double kSlower = LLMA_IS_SLOW ? 30 : 1;
// The full set of context models reads a text before it begins.
constexpr double kMaxMicrosecondsOfFullContexts = 1000;
constexpr double kMaxMicroseconds = 300;
// That text, once, however little there is of the file.
constexpr double kMaxSecondsOfAClaim = 4;
constexpr int kMaxTries = 3;  // something else may be in the way

class WorstCase : public testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(model);
    model_ = *std::move(model);
  }

  ReadCost Measure(const std::vector<uint8_t>& file, ReadBy reader,
                   double max_seconds) {
    ReadCost cost;
    for (int i = 0; i < kMaxTries; ++i) {
      cost = MeasureRead(file, reader, *model_, kMaxContentBytes);
      if (cost.seconds <= max_seconds) break;
    }
    EXPECT_LE(cost.seconds, max_seconds);
    return cost;
  }

  std::unique_ptr<Model> model_;
};

TEST_F(WorstCase, ValidFramesOfAllKinds) {
  constexpr uint32_t kNumFrames = 20;
  size_t num_files = 0;
  for (const NamedFile& file : FilesOfAllKinds(kNumFrames, *model_)) {
    SCOPED_TRACE(file.name);
    ASSERT_FALSE(file.bytes.empty());
    ++num_files;
    const double max_us = file.name.starts_with("contexts, full") ||
                                  file.name.starts_with("skippable")
                              ? kMaxMicrosecondsOfFullContexts
                              : kMaxMicroseconds;
    for (const ReadBy reader : kAllReaders) {
      if (IsShortMessage(file.bytes) && reader != ReadBy::kStream) continue;
      const double max_seconds =
          1e-6 * kSlower * max_us * static_cast<double>(file.bytes.size());
      EXPECT_TRUE(
          Measure(file.bytes, reader, std::max(max_seconds, 0.05)).is_right);
    }
  }
  EXPECT_EQ(num_files, 23u);
}

// Headers whose claims are hollow.
TEST_F(WorstCase, ClaimsOfContent) {
  for (const FrameKind kind : {FrameKind::kContexts, FrameKind::kCoded}) {
    for (const uint64_t content_bytes :
         {uint64_t{1000}, kMaxContentBytes, uint64_t{1} << 24,
          uint64_t{1} << 31}) {
      for (const bool is_member : {false, true}) {
        const auto file = MakeHostileFile({{{.kind = kind,
                                             .is_valid = false,
                                             .content_bytes = content_bytes,
                                             .is_member = is_member}},
                                           true},
                                          *model_);
        ASSERT_FALSE(file.empty());
        for (const ReadBy reader : kAllReaders) {
          SCOPED_TRACE(content_bytes);
          Measure(file, reader, kSlower * kMaxSecondsOfAClaim);
        }
      }
    }
  }
}

// Hundreds of them in a few kilobytes.
TEST_F(WorstCase, ManyFramesThatFail) {
  HostileFrames frames;
  frames.is_valid = false;
  frames.count = LLMA_IS_SLOW ? 30 : 400;
  for (const bool overlaps : {false, true}) {
    frames.overlaps = overlaps;
    const auto file = MakeHostileFile({{frames}, false}, *model_);
    for (const ReadBy reader : kAllReaders) {
      Measure(file, reader, kSlower * kMaxSecondsOfAClaim);
    }
  }
}

}  // namespace
}  // namespace llma
