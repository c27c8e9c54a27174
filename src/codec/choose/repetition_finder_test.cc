// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/repetition_finder.h"

#include <gtest/gtest.h>

#include <map>

#include "codec/file/whole_file.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

std::vector<uint8_t> Noise(uint32_t seed, size_t size) {
  TestRandom random(seed);
  std::vector<uint8_t> noise(size);
  for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random.Next());
  return noise;
}

void Append(std::vector<uint8_t>& content, Bytes part) {
  content.insert(content.end(), part.begin(), part.end());
}

// In pieces that grow by `step` bytes.
std::vector<Repetition> Find(Bytes content, size_t step) {
  RepetitionFinder finder(content.size());
  for (size_t size = step; size < content.size(); size += step) {
    finder.Scan(content.first(size));
  }
  finder.Scan(content);
  const auto found = finder.Repetitions();
  uint64_t sum = 0;
  for (const Repetition& r : found) sum += r.size_bytes;
  EXPECT_EQ(sum, finder.repeated_bytes());
  const auto back = PutBack(found, LeaveOut(found, content));
  EXPECT_TRUE(back && std::equal(back->begin(), back->end(), content.begin(),
                                 content.end()));
  return found;
}

TEST(RepetitionFinder, FindsWholeRepetitions) {
  const auto noise = Noise(1, 10000);
  std::vector<uint8_t> content = noise;
  Append(content, Noise(2, 123));
  Append(content, Bytes(noise).subspan(77, 6001));
  Append(content, Noise(3, 50));
  for (const size_t step : {size_t{7000}, size_t{1000000}}) {
    EXPECT_EQ(Find(content, step),
              (std::vector<Repetition>{{10123, 6001, 10046}}));
  }
}

TEST(RepetitionFinder, FindsRuns) {
  for (const size_t step : {size_t{3}, size_t{5000}, size_t{1000000}}) {
    const auto found = Find(std::vector<uint8_t>(100000, 0), step);
    ASSERT_FALSE(found.empty());
    uint64_t sum = 0;
    for (const Repetition& r : found) sum += r.size_bytes;
    EXPECT_GT(sum, 99000u);
  }
}

TEST(RepetitionFinder, LeavesWhatIsShortOrNew) {
  const auto noise = Noise(1, 3000);
  std::vector<uint8_t> content = noise;
  Append(content, Bytes(noise).first(1500));
  Append(content, Noise(2, 200000));
  EXPECT_TRUE(Find(content, 1000000).empty());
  EXPECT_TRUE(Find({}, 1).empty());
  EXPECT_TRUE(Find(Bytes(noise).first(1), 1).empty());
}

// Also where the pieces of what is predicted go on after a repetition.
TEST(RepetitionFinder, CostsCoverRepetitionsToo) {
  const auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  ASSERT_TRUE(model);
  std::vector<uint8_t> content(5000, ' ');
  for (int i = 0; i < 40; ++i) Append(content, AsBytes(" other being there"));
  content.insert(content.end(), 4000, ' ');
  Append(content, AsBytes("there"));
  for (const int level : {1, 6}) {
    CompressOptions options;
    options.level = level;
    options.num_threads = 1;
    uint64_t covered = 0, largest = 0, num_same = 0;
    double bits = 0;
    std::map<uint64_t, double> told;  // before the frame was done
    options.on_new_costs = [&](std::span<const PieceCost> pieces) {
      for (const PieceCost& piece : pieces) {
        told[piece.content_ofs] = piece.bits;
      }
    };
    options.on_costs = [&](const std::vector<PieceCost>& pieces) {
      for (const PieceCost& piece : pieces) {
        EXPECT_EQ(piece.content_ofs, covered);
        covered += piece.size_bytes;
        largest = std::max<uint64_t>(largest, piece.size_bytes);
        bits += piece.bits;
        const auto before = told.find(piece.content_ofs);
        if (before == told.end()) continue;
        EXPECT_EQ(before->second, piece.bits);
        told.erase(before);
        ++num_same;
      }
    };
    const auto file = Compress(content, model->get(), options);
    ASSERT_TRUE(file);
    EXPECT_EQ(covered, content.size());
    EXPECT_GT(largest, 4000u);
    EXPECT_TRUE(told.empty());
    EXPECT_GT(num_same, 100);
    EXPECT_NEAR(bits / 8, static_cast<double>(file->size()), 50);
  }
}

}  // namespace
}  // namespace llma
