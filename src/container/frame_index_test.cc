// SPDX-License-Identifier: Apache-2.0
#include "container/frame_index.h"

#include <gtest/gtest.h>

#include <random>

namespace llma {
namespace {

FrameIndex SomeIndex() {
  return {{{1000, 5000}, {30, 0}, {7, uint64_t{1} << 40}}, 0x123456789abcdef0};
}

// The payload of a whole index frame.
Bytes PayloadOf(Bytes frame) {
  ByteReader reader(frame);
  const auto header = ParseFrameHeader(reader);
  EXPECT_TRUE(header && header->kind == FrameKind::kIndex);
  const Bytes payload = frame.subspan(reader.offset());
  EXPECT_EQ(payload.size(), header->payload_bytes);
  EXPECT_EQ(Checksum(payload), header->checksum);
  return payload;
}

TEST(FrameIndex, RoundTrips) {
  for (const FrameIndex& index : {FrameIndex{}, SomeIndex()}) {
    const std::vector<uint8_t> frame = WriteIndexFrame(index);
    const auto parsed = ParseIndex(PayloadOf(frame), frame.size());
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(*parsed, index);
    EXPECT_EQ(IndexFrameBytes(frame), frame.size());
  }
}

TEST(FrameIndex, LargeOnesKnowTheirSize) {
  FrameIndex index;
  index.entries.assign(20000, {300, 2 << 20});
  const std::vector<uint8_t> frame = WriteIndexFrame(index);
  EXPECT_EQ(IndexFrameBytes(frame), frame.size());
  EXPECT_TRUE(ParseIndex(PayloadOf(frame), frame.size()));
}

TEST(FrameIndex, RejectsEveryTruncationAndWrongSizes) {
  const std::vector<uint8_t> frame = WriteIndexFrame(SomeIndex());
  const Bytes payload = PayloadOf(frame);
  for (size_t size = 0; size < payload.size(); ++size) {
    EXPECT_FALSE(ParseIndex(payload.first(size), frame.size())) << size;
    EXPECT_FALSE(ParseIndex(payload.last(size), frame.size())) << size;
  }
  EXPECT_FALSE(ParseIndex(payload, frame.size() + 1));
}

TEST(FrameIndex, HostileCountsAllocateLittle) {
  for (const uint64_t count : {uint64_t{5}, kMaxIndexEntries, ~uint64_t{0}}) {
    ByteWriter payload;
    payload.StoreVarint(count);
    payload.StoreU64(0);
    payload.StoreU32(99);
    payload.StoreBytes(kIndexMagic);
    EXPECT_FALSE(ParseIndex(payload.bytes(), 99));
  }
}

TEST(FrameIndex, WhatIsReadWouldBeWrittenTheSame) {
  std::mt19937 random(1);
  const std::vector<uint8_t> frame = WriteIndexFrame(SomeIndex());
  const Bytes right = PayloadOf(frame);
  int num_parsed = 0;
  for (int round = 0; round < 20000; ++round) {
    std::vector<uint8_t> payload(right.begin(), right.end());
    payload[random() % payload.size()] = static_cast<uint8_t>(random() % 256);
    const auto parsed = ParseIndex(payload, frame.size());
    if (!parsed) continue;
    ++num_parsed;
    const std::vector<uint8_t> again = WriteIndexFrame(*parsed);
    const Bytes written = PayloadOf(again);
    ASSERT_TRUE(std::equal(written.begin(), written.end(), payload.begin(),
                           payload.end()));
  }
  EXPECT_GT(num_parsed, 1000);
}

TEST(FrameIndex, RejectsSizesThatNoFramesHave) {
  const auto parses = [](const FrameIndex& index) {
    const std::vector<uint8_t> frame = WriteIndexFrame(index);
    return ParseIndex(PayloadOf(frame), frame.size()).has_value();
  };
  EXPECT_TRUE(parses({{{kMinFrameBytes, 0}}, 0}));
  EXPECT_FALSE(parses({{{kMinFrameBytes - 1, 0}}, 0}));
  EXPECT_FALSE(parses({{{0, 5}}, 0}));
  // Sums that wrap around.
  FrameIndex index;
  index.entries.assign((1 << 14) - 1, {kMinFrameBytes, kMaxContentBytes});
  EXPECT_TRUE(parses(index));
  for (const size_t count :
       {size_t{1} << 14, size_t{1} << 16, size_t{1} << 17}) {
    index.entries.assign(count + 1, {kMinFrameBytes, kMaxContentBytes});
    EXPECT_FALSE(parses(index)) << count;
  }
}

TEST(FrameIndex, TheSmallestFrameIsKnown) {
  FrameHeader header;
  header.has_checksum = false;
  ByteWriter frame;
  WriteFrameHeader(header, frame);
  EXPECT_EQ(frame.size(), kMinFrameBytes);
}

}  // namespace
}  // namespace llma
