// SPDX-License-Identifier: Apache-2.0
#include "container/crc8.h"

#include <gtest/gtest.h>

namespace llma {
namespace {

TEST(Crc8, MatchesTheCatalogue) {
  // "CRC-8/SMBUS" in the catalogue of parametrised CRC algorithms.
  EXPECT_EQ(Crc8(AsBytes("123456789")), 0xf4);
  EXPECT_EQ(Crc8({}), 0);
}

TEST(Crc8, ChangesWithEveryOneAndThreeBits) {
  std::vector<uint8_t> data(12, 0x5a);
  const uint8_t crc = Crc8(data);
  const auto flip = [&](size_t i) { data[i / 8] ^= uint8_t(1u << i % 8); };
  for (size_t i = 0; i < 96; ++i) {
    flip(i);
    EXPECT_NE(Crc8(data), crc);
    for (size_t j = 0; j < i; ++j) {
      for (size_t k = 0; k < j; k += 7) {
        flip(j), flip(k);
        EXPECT_NE(Crc8(data), crc);
        flip(j), flip(k);
      }
    }
    flip(i);
  }
}

}  // namespace
}  // namespace llma
