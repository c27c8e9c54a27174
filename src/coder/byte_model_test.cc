// SPDX-License-Identifier: Apache-2.0
#include "coder/byte_model.h"

#include <gtest/gtest.h>

#include <random>
#include <span>

namespace llma {
namespace {

template <class Coder>
std::vector<uint8_t> CodeAll(Coder& coder, std::span<const uint8_t> bytes,
                             size_t size) {
  ByteModel model;
  std::vector<uint8_t> coded;
  uint8_t previous = 0;
  for (size_t i = 0; i < size; ++i) {
    previous =
        model.Code(coder, bytes.empty() ? uint8_t{0} : bytes[i], previous);
    coded.push_back(previous);
  }
  return coded;
}

// Codes, checks the way back, and returns the bits a byte.
double BitsPerByte(const std::vector<uint8_t>& bytes) {
  BinaryEncoder encoder;
  EXPECT_EQ(CodeAll(encoder, bytes, bytes.size()), bytes);
  const std::vector<uint8_t> code = std::move(encoder).Finish();
  BinaryDecoder decoder(code);
  EXPECT_EQ(CodeAll(decoder, {}, bytes.size()), bytes);
  EXPECT_TRUE(decoder.IsAtCanonicalEnd());
  return 8.0 * static_cast<double>(code.size()) /
         static_cast<double>(bytes.size());
}

TEST(ByteModel, NoiseCostsHardlyMoreThanItself) {
  std::mt19937 random(1);
  std::vector<uint8_t> bytes(60000);
  for (uint8_t& byte : bytes) byte = static_cast<uint8_t>(random());
  EXPECT_LT(BitsPerByte(bytes), 8 * 1.015);
}

TEST(ByteModel, LearnsAnOrder0Source) {
  std::mt19937 random(2);
  std::vector<uint8_t> bytes(60000);
  for (uint8_t& byte : bytes) {
    byte = static_cast<uint8_t>(37 * std::min(random() % 16, random() % 16));
  }
  // Sum over k of (31 - 2k)/256 * log2(256/(31 - 2k)) = 3.7389.
  EXPECT_LT(BitsPerByte(bytes), 3.7389 * 1.03);
}

TEST(ByteModel, LearnsAnOrder1Source) {
  std::mt19937 random(3);
  std::vector<uint8_t> bytes(100000);
  uint8_t previous = 0;
  for (uint8_t& byte : bytes) {
    // Four successors of each byte, equally likely: 2 bits.
    byte = static_cast<uint8_t>(previous * 77 + 13 + 59 * (random() % 4));
    previous = byte;
  }
  // About 400 bytes after each byte have to pay for learning which four.
  EXPECT_LT(BitsPerByte(bytes), 2 * 1.12);
}

TEST(ByteModel, LearnsAConstant) {
  EXPECT_LT(BitsPerByte(std::vector<uint8_t>(10000, 0)), 0.03);
  EXPECT_LT(BitsPerByte(std::vector<uint8_t>(10000, 0xff)), 0.03);
}

}  // namespace
}  // namespace llma
