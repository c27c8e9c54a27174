// SPDX-License-Identifier: Apache-2.0
#include "container/source_info.h"

#include <gtest/gtest.h>

#include <random>

#include "container/frame_header.h"

namespace llma {
namespace {

std::vector<uint8_t> PayloadOf(const SourceInfo& info) {
  SourceInfoFrame frame = MakeSourceInfoFrame(info);
  EXPECT_TRUE(CheckFrameHeader(frame.header));
  EXPECT_EQ(frame.header.kind, FrameKind::kSkippable);
  EXPECT_EQ(frame.header.skippable_type, kSourceInfoType);
  EXPECT_EQ(frame.header.payload_bytes, frame.payload.size());
  EXPECT_EQ(frame.header.checksum, Checksum(frame.payload));
  EXPECT_LE(frame.payload.size(), kMaxSourceInfoBytes);
  return std::move(frame.payload);
}

TEST(SourceInfo, RoundTrips) {
  const SourceInfo usual = {"dce.txt", 0644, 1700000000, 5};
  const SourceInfo extreme = {std::string(kMaxSourceNameBytes, '\n'), 07777,
                              std::numeric_limits<int64_t>::min(), 999999999};
  for (const SourceInfo& info : {usual, extreme}) {
    const auto parsed = ParseSourceInfo(PayloadOf(info));
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(*parsed, info);
  }
}

TEST(SourceInfo, NamesCannotLeaveTheFolder) {
  for (const char* name : {"", ".", "..", "a/b", "/", "../x"}) {
    EXPECT_FALSE(IsPlainFileName(name)) << name;
  }
  EXPECT_FALSE(IsPlainFileName(std::string("a\0b", 3)));
  EXPECT_FALSE(IsPlainFileName(std::string(kMaxSourceNameBytes + 1, 'x')));
  EXPECT_TRUE(IsPlainFileName("-rf ..x \xff"));

  std::vector<uint8_t> hostile = PayloadOf({"abc", 0600, 1, 1});
  hostile[2] = '/';
  EXPECT_EQ(ParseSourceInfo(hostile).error().code, ErrorCode::kCorrupt);
}

TEST(SourceInfo, DamageGivesAnErrorOrWhatWouldBeWritten) {
  std::mt19937 random(1);
  const std::vector<uint8_t> right = PayloadOf({"name", 0600, 12345, 77});
  for (size_t size = 0; size < right.size(); ++size) {
    EXPECT_FALSE(ParseSourceInfo(Bytes(right).first(size)));
  }
  for (int round = 0; round < 5000; ++round) {
    std::vector<uint8_t> payload = right;
    payload[random() % payload.size()] = static_cast<uint8_t>(random() % 256);
    const auto parsed = ParseSourceInfo(payload);
    if (!parsed) continue;
    ASSERT_EQ(PayloadOf(*parsed), payload);
  }
}

}  // namespace
}  // namespace llma
