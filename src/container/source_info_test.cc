// SPDX-License-Identifier: Apache-2.0
#include "container/source_info.h"

#include <gtest/gtest.h>

#include <random>

#include "container/frame_header.h"

namespace llma {
namespace {

Bytes PayloadOf(Bytes frame) {
  ByteReader reader(frame);
  const auto header = ParseFrameHeader(reader);
  EXPECT_TRUE(header && header->skippable_type == kSourceInfoType);
  EXPECT_LE(header->payload_bytes, kMaxSourceInfoBytes);
  return frame.subspan(reader.offset());
}

TEST(SourceInfo, RoundTrips) {
  const SourceInfo usual = {"dce.txt", 0644, 1700000000, 5};
  const SourceInfo extreme = {std::string(kMaxSourceNameBytes, '\n'), 07777,
                              std::numeric_limits<int64_t>::min(), 999999999};
  for (const SourceInfo& info : {usual, extreme}) {
    const auto frame = WriteSourceInfoFrame(info);
    const auto parsed = ParseSourceInfo(PayloadOf(frame));
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

  auto frame = WriteSourceInfoFrame({"abc", 0600, 1, 1});
  const Bytes payload = PayloadOf(frame);
  std::vector<uint8_t> hostile(payload.begin(), payload.end());
  hostile[2] = '/';
  EXPECT_EQ(ParseSourceInfo(hostile).error().code, ErrorCode::kCorrupt);
}

TEST(SourceInfo, DamageGivesAnErrorOrWhatWouldBeWritten) {
  std::mt19937 random(1);
  const auto frame = WriteSourceInfoFrame({"name", 0600, 12345, 77});
  const Bytes right = PayloadOf(frame);
  for (size_t size = 0; size < right.size(); ++size) {
    EXPECT_FALSE(ParseSourceInfo(right.first(size)));
  }
  for (int round = 0; round < 5000; ++round) {
    std::vector<uint8_t> payload(right.begin(), right.end());
    payload[random() % payload.size()] = static_cast<uint8_t>(random() % 256);
    const auto parsed = ParseSourceInfo(payload);
    if (!parsed) continue;
    const auto again = WriteSourceInfoFrame(*parsed);
    const Bytes written = PayloadOf(again);
    ASSERT_TRUE(std::equal(written.begin(), written.end(), payload.begin(),
                           payload.end()));
  }
}

}  // namespace
}  // namespace llma
