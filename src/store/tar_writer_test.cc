// SPDX-License-Identifier: Apache-2.0
#include "store/tar_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <vector>

namespace llma::store {
namespace {

class TarWriterTest : public testing::Test {
 protected:
  TarWriterTest()
      : writer_([this](Bytes bytes) {
          tar_.append(AsStringView(bytes));
          return OkStatus();
        }) {}
  // A field of the header at `block`, to its first NUL.
  std::string Field(size_t block, size_t offset, size_t size) const {
    return std::string(tar_.substr(512 * block + offset, size).c_str());
  }

  std::string tar_;
  TarWriter writer_;
};

TEST_F(TarWriterTest, AFileIsAHeaderAndPaddedBlocks) {
  const std::string text(600, 'x');
  ASSERT_TRUE(writer_.Add("folder/name.txt", AsBytes(text)));
  ASSERT_TRUE(writer_.Add("empty", {}));
  ASSERT_TRUE(writer_.Finish());
  // Header, two blocks; header; two blocks of zeros.
  ASSERT_EQ(tar_.size(), 512u * (1 + 2 + 1 + 2));
  EXPECT_EQ(Field(0, 0, 100), "folder/name.txt");
  EXPECT_EQ(Field(0, 100, 8), "0000644");
  EXPECT_EQ(Field(0, 124, 12), "00000001130");  // 600 in octal
  EXPECT_EQ(Field(0, 136, 12), "00000000000");
  EXPECT_EQ(tar_[156], '0');
  EXPECT_EQ(tar_.substr(257, 8), std::string("ustar\00000", 8));
  EXPECT_EQ(tar_.substr(512, 600), text);
  EXPECT_EQ(tar_.substr(512 + 600, 424), std::string(424, '\0'));
  EXPECT_EQ(Field(3, 0, 100), "empty");
  EXPECT_EQ(Field(3, 124, 12), "00000000000");
  EXPECT_EQ(tar_.substr(512 * 4), std::string(1024, '\0'));
}

TEST_F(TarWriterTest, TheChecksumIsTheSumOfTheHeader) {
  ASSERT_TRUE(writer_.Add("name", {}));
  std::string header = tar_.substr(0, 512);
  const auto told = std::strtoul(header.substr(148, 6).c_str(), nullptr, 8);
  EXPECT_EQ(header.substr(154, 2), std::string("\0 ", 2));
  header.replace(148, 8, 8, ' ');
  unsigned long sum = 0;
  for (const char c : header) sum += static_cast<unsigned char>(c);
  EXPECT_EQ(told, sum);
}

TEST_F(TarWriterTest, WhatHasNoRoomIsAnError) {
  EXPECT_TRUE(writer_.Add(std::string(100, 'n'), {}));
  EXPECT_EQ(tar_.substr(0, 101).find('\0'), std::string::npos);
  const size_t before = tar_.size();
  EXPECT_EQ(writer_.Add(std::string(101, 'n'), {}).error().code,
            ErrorCode::kLimit);
  EXPECT_EQ(writer_.Add("", {}).error().code, ErrorCode::kLimit);
  // Never read: the size alone is too much.
  static const uint8_t byte = 0;
  EXPECT_EQ(writer_.Add("large", {&byte, size_t{1} << 33}).error().code,
            ErrorCode::kLimit);
  EXPECT_EQ(tar_.size(), before);
}

TEST(TarWriter, ErrorsOfTheSinkComeBack) {
  TarWriter writer([](Bytes) -> Status {
    return Error{ErrorCode::kIo, "full"};
  });
  EXPECT_EQ(writer.Add("name", {}).error().what, "full");
  EXPECT_EQ(writer.Finish().error().what, "full");
}

}  // namespace
}  // namespace llma::store
