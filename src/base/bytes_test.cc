// SPDX-License-Identifier: Apache-2.0
#include "base/bytes.h"

#include <gtest/gtest.h>

namespace llma {
namespace {

TEST(Bytes, RoundTripsIntegers) {
  ByteWriter writer;
  writer.StoreU8(0x12);
  writer.StoreU16(0x3456);
  writer.StoreU32(0x789abcde);
  writer.StoreU64(0x0123456789abcdef);
  writer.StoreF32(-1.5f);
  EXPECT_EQ(writer.bytes()[1], 0x56);  // little-endian
  ByteReader reader(writer.bytes());
  EXPECT_EQ(*reader.LoadU8(), 0x12);
  EXPECT_EQ(*reader.LoadU16(), 0x3456);
  EXPECT_EQ(*reader.LoadU32(), 0x789abcdeu);
  EXPECT_EQ(*reader.LoadU64(), 0x0123456789abcdefu);
  EXPECT_EQ(*reader.LoadF32(), -1.5f);
  EXPECT_EQ(reader.remaining(), 0u);
  EXPECT_EQ(reader.LoadU8().error().code, ErrorCode::kTruncated);
}

TEST(Bytes, VarintsRoundTrip) {
  for (int bit = 0; bit < 64; ++bit) {
    for (const int64_t delta : {-2, -1, 0, 1, 2}) {
      const uint64_t value =
          (uint64_t{1} << bit) + static_cast<uint64_t>(delta);
      ByteWriter writer;
      writer.StoreVarint(value);
      ByteReader reader(writer.bytes());
      auto read = reader.LoadVarint();
      ASSERT_TRUE(read);
      EXPECT_EQ(*read, value);
      EXPECT_EQ(reader.remaining(), 0u);
    }
  }
}

TEST(Bytes, RefusesMalformedVarints) {
  const std::vector<std::vector<uint8_t>> malformed = {
      {0x80, 0x00},  // longer than necessary
      {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02},  // 65 bits
      {0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}};
  for (const auto& bytes : malformed) {
    ByteReader reader(bytes);
    EXPECT_EQ(reader.LoadVarint().error().code, ErrorCode::kCorrupt);
  }
  const std::vector<uint8_t> truncated = {0x80};
  ByteReader reader(truncated);
  EXPECT_EQ(reader.LoadVarint().error().code, ErrorCode::kTruncated);
}

TEST(Bytes, TakeNeverReadsPastTheEnd) {
  const std::vector<uint8_t> three = {1, 2, 3};
  ByteReader reader(three);
  EXPECT_FALSE(reader.Take(4));
  EXPECT_FALSE(reader.Take(~uint64_t{0}));
  ASSERT_TRUE(reader.Take(3));
  EXPECT_TRUE(reader.Take(0));
}

}  // namespace
}  // namespace llma
