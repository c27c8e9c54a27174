// SPDX-License-Identifier: Apache-2.0
#include "base/number_arrays.h"

#include <gtest/gtest.h>

namespace llma {
namespace {

// As ByteReader and ByteWriter have them, on every machine.
template <class T>
void CompareWith(std::span<const T> numbers, Bytes file) {
  std::vector<uint8_t> copy;
  const Bytes written = BytesForFile(numbers, copy);
  EXPECT_TRUE(
      std::equal(written.begin(), written.end(), file.begin(), file.end()));
  AlignedBuffer<uint8_t> aligned(file.size());
  std::copy(file.begin(), file.end(), aligned.data());
  std::vector<AlignedBuffer<uint8_t>> copies;
  const std::span<const T> read =
      NumbersOfFile<T>({aligned.data(), aligned.size()}, copies);
  EXPECT_TRUE(
      std::equal(read.begin(), read.end(), numbers.begin(), numbers.end()));
  const bool in_place = static_cast<const void*>(read.data()) == aligned.data();
  EXPECT_EQ(in_place, kMemoryIsAsFiles || sizeof(T) == 1);
}

TEST(NumberArraysTest, AreLowestByteFirstInFiles) {
  ByteWriter file64, file32, floats;
  const std::vector<uint64_t> numbers64 = {0x0123456789abcdef, 1, ~0ull};
  const std::vector<uint32_t> numbers32 = {0x89abcdef, 1, 0, 0x80000000};
  const std::vector<float> values = {1.0f, -2.5f, 0x1p-140f, 3.0e38f};
  const std::vector<uint8_t> bytes = {1, 2, 3};
  for (const uint64_t n : numbers64) file64.StoreU64(n);
  for (const uint32_t n : numbers32) file32.StoreU32(n);
  for (const float v : values) floats.StoreF32(v);
  CompareWith(std::span<const uint64_t>(numbers64), file64.bytes());
  CompareWith(std::span<const uint32_t>(numbers32), file32.bytes());
  CompareWith(std::span<const float>(values), floats.bytes());
  CompareWith(std::span<const uint8_t>(bytes), bytes);
  CompareWith(std::span<const uint32_t>(), {});
}

TEST(NumberArraysTest, Reverses) {
  const std::vector<uint8_t> from = {1, 2, 3, 4, 5, 6, 7, 8};
  std::vector<uint8_t> to(from.size());
  ReverseNumbers(from, 4, to.data());
  EXPECT_EQ(to, (std::vector<uint8_t>{4, 3, 2, 1, 8, 7, 6, 5}));
  ReverseNumbers(from, 8, to.data());
  EXPECT_EQ(to, (std::vector<uint8_t>{8, 7, 6, 5, 4, 3, 2, 1}));
}

}  // namespace
}  // namespace llma
