// SPDX-License-Identifier: Apache-2.0
#include "cm/context_mixer.h"

#include <gtest/gtest.h>

#include <string>
#include <tuple>
#include <vector>

#include "coder/binary_coder.h"

namespace llma::cm {
namespace {

// What makes tests slow takes a part of the contents.
constexpr size_t kPart = LLMA_IS_SLOW ? 5 : 1;
constexpr size_t kPartOfZeros = LLMA_IS_SLOW ? 20 : 1;

// Codes in lanes of about equal size, `step_bytes` of each lane in turn.
template <class Coder>
void CodeContent(Coder& coder, ModelSet set, size_t num_lanes,
                 size_t step_bytes, std::vector<uint8_t>& content) {
  const size_t size = content.size();
  ContextMixer mixer({.set = set,
                      .content_bytes = size,
                      .num_lanes = static_cast<uint32_t>(num_lanes)});
  std::vector<size_t> next;
  for (size_t i = 0; i < num_lanes; ++i) {
    next.push_back(size * i / num_lanes);
    mixer.AddLane(next.back());
  }
  for (size_t done = 0; done < size;) {
    for (size_t i = 0; i < num_lanes; ++i) {
      const size_t end = size * (i + 1) / num_lanes;
      for (size_t n = 0; n < step_bytes && next[i] < end; ++n, ++done) {
        uint8_t& byte = content[next[i]++];
        mixer.BeginByte(static_cast<uint32_t>(i));
        for (int k = 7; k >= 0; --k) {
          const uint32_t p = mixer.Predict();
          ASSERT_GE(p, 1u);
          ASSERT_LT(p, 1u << 24);
          mixer.Update(coder.Code((byte >> k & 1) != 0, p) ? 1 : 0);
        }
        byte = static_cast<uint8_t>(mixer.partial_byte());
      }
    }
  }
  EXPECT_TRUE(
      std::equal(content.begin(), content.end(), mixer.content().begin()));
}

std::vector<uint8_t> Random(size_t size, uint32_t seed, int shift) {
  std::vector<uint8_t> bytes(size);
  for (auto& b : bytes) {
    seed = seed * 1664525 + 1013904223;
    b = static_cast<uint8_t>(seed >> (24 + shift));
  }
  return bytes;
}

std::vector<uint8_t> Text(size_t size) {
  std::string text;
  uint32_t seed = 3;
  while (text.size() < size) {
    seed = seed * 1664525 + 1013904223;
    switch (seed >> 29) {
      case 0:
        text += "<p class=\"x\">the end</p>\n";
        break;
      case 1:
        text += "{\"id\": " + std::to_string(seed >> 20) + "},\r\n";
        break;
      case 2:
        text += "  a,b;c|d\t" + std::to_string(seed >> 25) + "\n";
        break;
      default:
        text += "words (and more) ";
    }
  }
  text.resize(size);
  return {text.begin(), text.end()};
}

size_t RoundTrip(const std::vector<uint8_t>& content, ModelSet set,
                 size_t num_lanes, size_t step_bytes) {
  std::vector<uint8_t> input = content;
  BinaryEncoder encoder;
  CodeContent(encoder, set, num_lanes, step_bytes, input);
  const std::vector<uint8_t> code = std::move(encoder).Finish();
  std::vector<uint8_t> decoded(content.size());
  BinaryDecoder decoder(code);
  CodeContent(decoder, set, num_lanes, step_bytes, decoded);
  EXPECT_EQ(decoded, content);
  return code.size();
}

class ContextMixerTest : public testing::TestWithParam<ModelSet> {};

TEST_P(ContextMixerTest, RoundTripsAnyBytes) {
  for (const size_t size : {0, 1, 2, 3, 5, 100, 1000}) {
    for (const int shift : {0, 4, 7}) {
      RoundTrip(Random(size, 1, shift), GetParam(), 1, 1);
    }
    RoundTrip(std::vector<uint8_t>(size), GetParam(), 1, 1);
    RoundTrip(Text(size), GetParam(), 1, 1);
  }
}

TEST_P(ContextMixerTest, RoundTripsLanes) {
  const std::vector<uint8_t> content = Text(6000 / kPart);
  for (const size_t num_lanes : {2, 3, 16}) {
    for (const size_t step_bytes : {1, 5}) {
      RoundTrip(content, GetParam(), num_lanes, step_bytes);
    }
  }
}

TEST_P(ContextMixerTest, LanesLearnFromEachOther) {
  const std::vector<uint8_t> part = Random(3000, 5, 0);
  std::vector<uint8_t> content = part;
  content.insert(content.end(), part.begin(), part.end());
  // Lane 1 repeats lane 0 in step: it may not look at the byte beside it, but
  // at all before it. In turns of 50 bytes it can copy nearly everything.
  const size_t code = RoundTrip(content, GetParam(), 2, 50);
  EXPECT_LT(code, 3400u);
}

TEST_P(ContextMixerTest, ALaneFollowsItselfFirst) {
  const std::vector<std::string> texts = {
      "What one lane repeats goes on in its own way: A. ",
      "What one lane repeats goes on in its own way: B. "};
  const size_t lane_bytes = 2 * texts[0].size();
  ContextMixer mixer({.set = GetParam(),
                      .content_bytes = 1 << 18,  // no hashes collide
                      .num_lanes = static_cast<uint32_t>(texts.size())});
  for (size_t i = 0; i < texts.size(); ++i) mixer.AddLane(i * lane_bytes);
  for (size_t i = 0; i < lane_bytes; ++i) {
    for (uint32_t lane = 0; lane < texts.size(); ++lane) {
      const auto byte =
          static_cast<uint8_t>(texts[lane][i % texts[lane].size()]);
      mixer.BeginByte(lane);
      // Lane 1 is a byte behind, so lane 0 repeats only itself, or what lane 1
      // has read since. After 32 bytes all matches have begun.
      if (lane == 0 && i >= texts[lane].size() + 32) {
        for (int k = 0; k < mixer.num_matches(); ++k) {
          EXPECT_EQ(mixer.match(k).expected(), byte | 256u) << i;
        }
      }
      for (int k = 7; k >= 0; --k) {
        mixer.Predict();
        mixer.Update(byte >> k & 1);
      }
    }
  }
}

TEST_P(ContextMixerTest, PredictableDataCostsNearlyNothing) {
  const std::vector<uint8_t> zeros(100000 / kPartOfZeros);
  EXPECT_LT(RoundTrip(zeros, GetParam(), 1, 1), 60u);
}

TEST_P(ContextMixerTest, RandomDataCostsLittleMore) {
  const size_t size = 20000 / kPart;
  EXPECT_LT(RoundTrip(Random(size, 9, 0), GetParam(), 1, 1),
            size + size * 3 / 100);
}

INSTANTIATE_TEST_SUITE_P(Sets, ContextMixerTest,
                         testing::Values(ModelSet::kLight, ModelSet::kFull));

}  // namespace
}  // namespace llma::cm
