// SPDX-License-Identifier: Apache-2.0
#include "container/frame_header.h"

#include <gtest/gtest.h>

#include <numeric>
#include <random>

#include "base/checksum.h"
#include "container/crc8.h"

namespace llma {
namespace {

FrameHeader Stored(uint64_t content_bytes, uint64_t checksum) {
  FrameHeader header;
  header.content_bytes = header.payload_bytes = content_bytes;
  header.checksum = checksum;
  return header;
}

FrameHeader Coded(std::vector<uint64_t> lane_bytes) {
  FrameHeader header;
  header.kind = FrameKind::kCoded;
  header.content_bytes =
      std::accumulate(lane_bytes.begin(), lane_bytes.end(), uint64_t{0});
  header.payload_bytes = header.content_bytes / 8;
  header.checksum = 0x89abcdef;
  header.predictor_id = 2;
  header.model_id = {0xf0, 1, 2, 3, 4, 5, 6, 0xff};
  header.window_positions = 2048;
  header.lane_bytes = std::move(lane_bytes);
  return header;
}

FrameHeader Contexts(uint64_t content_bytes, ContextModels models) {
  FrameHeader header = Stored(content_bytes, 0x01234567);
  header.kind = FrameKind::kContexts;
  header.payload_bytes = content_bytes / 8;
  header.predictor_id = 2;
  header.context_models = models;
  return header;
}

std::vector<FrameHeader> SomeHeaders() {
  FrameHeader extreme = Coded(std::vector<uint64_t>(64, 1));
  extreme.lane_bytes.back() = kMaxContentBytes - 63;
  extreme.content_bytes = kMaxContentBytes;
  extreme.payload_bytes = kMaxContentBytes - 1;
  extreme.checksum = ~uint64_t{0};
  extreme.predictor_id = kMaxIdValue;
  extreme.window_positions = kMaxWindowPositions;
  FrameHeader smallest = Coded({1});
  smallest.window_positions = kWindowGranularity;
  smallest.predictor_id = 0;
  FrameHeader mixed = Coded({7, 9});
  mixed.context_models = ContextModels::kFull;
  FrameHeader repeated = Coded({7, 9});
  repeated.content_bytes += 300;
  repeated.repeated_bytes = 300;
  FrameHeader mostly_repeated =
      Contexts(kMaxContextContentBytes, ContextModels::kLight);
  mostly_repeated.repeated_bytes = mostly_repeated.content_bytes - 1;
  mostly_repeated.payload_bytes = 9;
  FrameHeader referring = repeated;
  referring.reference_id = {~uint64_t{1}, kMaxReferenceBytes};
  FrameHeader contexts_referring = Contexts(300, ContextModels::kFull);
  contexts_referring.reference_id = {0, 1};
  FrameHeader longest = Coded(std::vector<uint64_t>(64, uint64_t{1} << 21));
  longest.lane_bytes.back() = kMaxContextContentBytes - (uint64_t{63} << 21);
  longest.content_bytes = kMaxContextContentBytes;
  longest.payload_bytes = longest.content_bytes - 1;
  longest.predictor_id = kMaxIdValue;
  longest.window_positions = kMaxWindowPositions;
  longest.reference_id = {~uint64_t{0}, kMaxReferenceBytes};
  FrameHeader last = Coded({2000});
  last.is_last = true;
  FrameHeader unchecked = Contexts(300, ContextModels::kLight);
  unchecked.has_checksum = false;
  unchecked.checksum = 0;
  FrameHeader skippable;
  skippable.kind = FrameKind::kSkippable;
  skippable.payload_bytes = 70000;
  skippable.checksum = ~uint64_t{0};
  skippable.skippable_type = kMaxIdValue;
  FrameHeader index;
  index.kind = FrameKind::kIndex;
  index.is_last = true;
  index.payload_bytes = 33;
  return {Stored(0, 0),
          last,
          unchecked,
          skippable,
          index,
          Stored(65535, 0xffffffff),
          Stored(65536, ~uint64_t{0}),
          Stored(kMaxContentBytes, 1),
          Coded({2684}),
          Coded({100000}),
          Coded({300, 1, 128, 7}),
          Contexts(1, ContextModels::kLight),
          Contexts(kMaxContextContentBytes, ContextModels::kFull),
          mixed,
          repeated,
          mostly_repeated,
          referring,
          contexts_referring,
          longest,
          smallest,
          extreme};
}

std::vector<uint8_t> Write(const FrameHeader& header) {
  ByteWriter writer;
  WriteFrameHeader(header, writer);
  return std::move(writer).TakeBytes();
}

Result<FrameHeader> Parse(Bytes bytes) {
  ByteReader reader(bytes);
  return ParseFrameHeader(reader);
}

// The error of a header whose check is right, so that the field itself is
// judged. `bytes`: without the check.
ErrorCode ErrorWithRightCheck(std::vector<uint8_t> bytes) {
  bytes.push_back(Crc8(bytes));
  const auto parsed = Parse(bytes);
  return parsed ? ErrorCode{} : parsed.error().code;
}

TEST(FrameHeader, RoundTrips) {
  for (const FrameHeader& header : SomeHeaders()) {
    ASSERT_TRUE(CheckFrameHeader(header));
    std::vector<uint8_t> bytes = Write(header);
    EXPECT_TRUE(HasFrameMagic(bytes));
    bytes.push_back(0x77);  // the payload
    ByteReader reader(bytes);
    const auto parsed = ParseFrameHeader(reader);
    ASSERT_TRUE(parsed) << parsed.error().what;
    EXPECT_EQ(*parsed, header);
    EXPECT_EQ(reader.remaining(), 1u);
  }
}

TEST(FrameHeader, IsSmall) {
  EXPECT_EQ(Write(Stored(0, 0)).size(), 11u);
  EXPECT_EQ(Write(Coded({100})).size(), 23u);
  EXPECT_EQ(Write(Coded({16383})).size(), 25u);
  EXPECT_EQ(Write(Coded({100000})).size(), 30u);
  EXPECT_EQ(Write(Contexts(100, ContextModels::kFull)).size(), 14u);
  EXPECT_EQ(Write(Stored(kMaxContentBytes, 0)).size(), kMaxStoredHeaderBytes);
  for (const FrameHeader& header : SomeHeaders()) {
    EXPECT_LE(Write(header).size(), kMaxFrameHeaderBytes);
  }
}

TEST(FrameHeader, ExampleOfTheSpecification) {
  // docs/FORMAT.md, section 2.5.
  const std::string content = "hello";
  FrameHeader header = Stored(content.size(), Checksum(AsBytes(content)));
  header.is_last = true;
  const std::vector<uint8_t> expected = {0x89, 'l',  'm',  0x01, 0x08, 0x05,
                                         0xfd, 0xdc, 0x62, 0x5c, 0xf4};
  EXPECT_EQ(Write(header), expected);
}

TEST(FrameHeader, ChecksumIsAsWideAsTheContentNeeds) {
  const std::vector<uint8_t> content(kLongChecksumBytes, 7);
  const Bytes all(content);
  EXPECT_EQ(Checksum(all), Xxh3(all));
  const Bytes less = all.first(content.size() - 1);
  EXPECT_EQ(Checksum(less), Xxh3(less) & 0xffffffff);
}

TEST(FrameHeader, RejectsEveryTruncation) {
  for (const FrameHeader& header : SomeHeaders()) {
    const std::vector<uint8_t> bytes = Write(header);
    for (size_t size = 0; size < bytes.size(); ++size) {
      const auto parsed = Parse(Bytes(bytes).first(size));
      ASSERT_FALSE(parsed) << size;
      EXPECT_EQ(parsed.error().code, ErrorCode::kTruncated) << size;
      EXPECT_EQ(parsed.error().offset, size);
    }
  }
}

TEST(FrameHeader, RejectsEverySingleFlippedBit) {
  for (const FrameHeader& header : SomeHeaders()) {
    std::vector<uint8_t> bytes = Write(header);
    const size_t num_bits = 8 * bytes.size();
    bytes.insert(bytes.end(), 40, 0x5c);  // a payload that may be misread
    for (size_t i = 0; i < num_bits; ++i) {
      bytes[i / 8] ^= uint8_t(1u << i % 8);
      EXPECT_FALSE(Parse(bytes)) << i;
      bytes[i / 8] ^= uint8_t(1u << i % 8);
    }
  }
}

TEST(FrameHeader, NamesWhatItDoesNotKnow) {
  std::vector<uint8_t> bytes = Write(Coded({100}));
  bytes[0] = 'P';
  EXPECT_EQ(Parse(bytes).error().code, ErrorCode::kBadMagic);
  EXPECT_EQ(Parse(AsBytes("PK")).error().code, ErrorCode::kBadMagic);
  bytes[0] = kFrameMagic[0];
  bytes[3] = 9;
  const auto version = Parse(bytes);
  EXPECT_EQ(version.error().code, ErrorCode::kUnsupported);
  EXPECT_NE(version.error().what.find("version 9"), std::string::npos);
  bytes[3] = kFormatVersion;
  for (const int flags :
       {0x05, 0x06, 0x07, 0x40, 0x43, 0x20, 0x23, 0x24, 0x81}) {
    bytes[4] = static_cast<uint8_t>(flags);
    EXPECT_EQ(Parse(bytes).error().code, ErrorCode::kUnsupported);
  }
}

TEST(FrameHeader, RejectsHostileFields) {
  const auto start = [](uint8_t kind_and_flags) {
    ByteWriter writer;
    writer.StoreBytes(kFrameMagic);
    writer.StoreU8(kFormatVersion);
    writer.StoreU8(kind_and_flags);
    return writer;
  };
  const auto error = [](ByteWriter writer) {
    return ErrorWithRightCheck(std::move(writer).TakeBytes());
  };
  uint8_t context_models = 0;
  uint64_t payload_bytes = 10;
  // content size, id, window / 16 - 1, first lanes
  const auto coded = [&](uint64_t size, uint64_t predictor_id, uint64_t window,
                         std::vector<uint64_t> lanes) {
    ByteWriter writer = start(0x01);
    writer.StoreVarint(size);
    writer.StoreVarint(payload_bytes);
    writer.StoreVarint(predictor_id);
    writer.StoreU64(0);
    writer.StoreVarint(window);
    writer.StoreU8(static_cast<uint8_t>(lanes.size() << 2 | context_models));
    for (const uint64_t lane : lanes) writer.StoreVarint(lane);
    if (size >= kLongChecksumBytes) {
      writer.StoreU64(0);
    } else {
      writer.StoreU32(0);
    }
    return error(writer);
  };
  EXPECT_EQ(coded(100, 0, 64, {50}), ErrorCode{});  // a good one
  EXPECT_EQ(coded(0, 0, 64, {}), ErrorCode::kCorrupt);
  EXPECT_EQ(coded(10, 0, 64, {}), ErrorCode::kCorrupt);  // the payload's size
  EXPECT_EQ(coded(11, 0, 64, {}), ErrorCode{});
  EXPECT_EQ(coded(kMaxContentBytes + 1, 0, 64, {}), ErrorCode::kCorrupt);
  EXPECT_EQ(coded(~uint64_t{0}, 0, 64, {}), ErrorCode::kCorrupt);
  EXPECT_EQ(coded(100, kMaxIdValue + 1, 64, {}), ErrorCode::kCorrupt);
  EXPECT_EQ(coded(100, 0, 0, {}), ErrorCode{});
  EXPECT_EQ(coded(100, 0, 65535, {}), ErrorCode{});
  EXPECT_EQ(coded(100, 0, 65536, {}), ErrorCode::kCorrupt);
  EXPECT_EQ(coded(100, 0, 64, {0}), ErrorCode::kCorrupt);
  EXPECT_EQ(coded(100, 0, 64, {100}), ErrorCode::kCorrupt);
  EXPECT_EQ(coded(100, 0, 64, {101}), ErrorCode::kCorrupt);
  EXPECT_EQ(coded(100, 0, 64, {60, 60}), ErrorCode::kCorrupt);
  EXPECT_EQ(coded(100, 0, 64, {~uint64_t{0}, 2}), ErrorCode::kCorrupt);

  context_models = 2;
  EXPECT_EQ(coded(100, 0, 64, {50}), ErrorCode{});
  EXPECT_EQ(coded(kMaxContextContentBytes + 1, 0, 64, {}), ErrorCode::kCorrupt);
  context_models = 3;
  EXPECT_EQ(coded(100, 0, 64, {50}), ErrorCode::kUnsupported);

  const auto repeated = [&](uint64_t size, uint64_t repeated_bytes) {
    ByteWriter writer = start(0x42);
    writer.StoreVarint(size);
    writer.StoreVarint(1);
    writer.StoreVarint(repeated_bytes);
    writer.StoreVarint(1);
    writer.StoreU8(1);
    writer.StoreU32(0);
    return error(writer);
  };
  EXPECT_EQ(repeated(100, 99), ErrorCode{});
  EXPECT_EQ(repeated(100, 100), ErrorCode::kCorrupt);
  EXPECT_EQ(repeated(100, 0), ErrorCode::kCorrupt);
  EXPECT_EQ(repeated(0, 0), ErrorCode::kCorrupt);

  const auto referring = [&](uint64_t size, uint64_t reference_bytes) {
    ByteWriter writer = start(0x22);
    writer.StoreVarint(size);
    writer.StoreVarint(1);
    writer.StoreVarint(1);
    writer.StoreU8(1);
    writer.StoreU64(7);
    writer.StoreVarint(reference_bytes);
    writer.StoreU32(0);
    return error(writer);
  };
  EXPECT_EQ(referring(100, 1), ErrorCode{});
  EXPECT_EQ(referring(100, kMaxReferenceBytes), ErrorCode{});
  EXPECT_EQ(referring(100, 0), ErrorCode::kCorrupt);
  EXPECT_EQ(referring(100, kMaxReferenceBytes + 1), ErrorCode::kCorrupt);

  ByteWriter long_varint = start(0);
  long_varint.StoreU8(0x85);  // 5 in two bytes
  long_varint.StoreU8(0x00);
  long_varint.StoreU32(0);
  EXPECT_EQ(error(long_varint), ErrorCode::kCorrupt);
  const auto without_content = [&](uint8_t flags, uint64_t bytes,
                                   uint64_t type) {
    ByteWriter writer = start(flags);
    writer.StoreVarint(bytes);
    if ((flags & 7) == 3) writer.StoreVarint(type);
    if ((flags & 0x10) == 0) writer.StoreU32(0);
    return error(writer);
  };
  EXPECT_EQ(without_content(0x03, 5, 200), ErrorCode{});
  EXPECT_EQ(without_content(0x13, 5, 200), ErrorCode{});
  EXPECT_EQ(without_content(0x0b, 5, 200), ErrorCode::kCorrupt);  // last
  EXPECT_EQ(without_content(0x03, 5, kMaxIdValue + 1), ErrorCode::kCorrupt);
  EXPECT_EQ(without_content(0x0c, 5, 0), ErrorCode{});
  EXPECT_EQ(without_content(0x04, 5, 0), ErrorCode::kCorrupt);  // not last
  EXPECT_EQ(without_content(0x1c, 5, 0), ErrorCode::kCorrupt);  // unchecked
}

TEST(FrameHeader, WhatIsReadWouldBeWrittenTheSame) {
  // Damage everywhere, the check made right again: an error, or a canonical
  // header.
  std::mt19937 random(1);
  int num_parsed = 0;
  for (int round = 0; round < 50000; ++round) {
    const auto headers = SomeHeaders();
    std::vector<uint8_t> bytes = Write(headers[random() % headers.size()]);
    bytes.pop_back();
    for (uint64_t n = random() % 3; n < 3; ++n) {
      bytes[3 + random() % (bytes.size() - 3)] = uint8_t(random() % 131);
    }
    bytes.push_back(Crc8(bytes));
    ByteReader reader(bytes);
    const auto parsed = ParseFrameHeader(reader);
    if (!parsed) continue;
    ++num_parsed;
    bytes.resize(reader.offset());
    ASSERT_EQ(Write(*parsed), bytes);
  }
  EXPECT_GT(num_parsed, 1000);
}

TEST(FrameHeader, ChecksBeforeWriting) {
  FrameHeader header = Coded({10, 20});
  header.window_positions = 100;
  EXPECT_FALSE(CheckFrameHeader(header));
  header = Coded({10, 20});
  header.lane_bytes[0] = 11;
  EXPECT_FALSE(CheckFrameHeader(header));
  header = Coded({10});
  header.checksum = uint64_t{1} << 32;
  EXPECT_FALSE(CheckFrameHeader(header));
  header = Stored(3, 0);
  header.predictor_id = 1;
  EXPECT_FALSE(CheckFrameHeader(header));
  header = Coded(std::vector<uint64_t>(65, 1));
  EXPECT_FALSE(CheckFrameHeader(header));
  EXPECT_FALSE(CheckFrameHeader(Contexts(0, ContextModels::kFull)));
  EXPECT_FALSE(CheckFrameHeader(Contexts(5, ContextModels::kNone)));
  header = Contexts(5, ContextModels::kFull);
  header.repeated_bytes = 5;
  EXPECT_FALSE(CheckFrameHeader(header));
  header = Stored(5, 0);
  header.repeated_bytes = 4;
  EXPECT_FALSE(CheckFrameHeader(header));
  header = Stored(5, 0);
  header.reference_id = {1, 2};
  EXPECT_FALSE(CheckFrameHeader(header));
  header = Coded({10});
  header.context_models = ContextModels::kNone;
  header.reference_id = {1, 2};
  EXPECT_TRUE(CheckFrameHeader(header));
  header.lane_bytes = {kMaxContextContentBytes + 1};
  header.content_bytes = kMaxContextContentBytes + 1;
  EXPECT_FALSE(CheckFrameHeader(header));
  header = Contexts(5, ContextModels::kFull);
  header.window_positions = 16;
  EXPECT_FALSE(CheckFrameHeader(header));
}

}  // namespace
}  // namespace llma
