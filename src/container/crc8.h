// SPDX-License-Identifier: Apache-2.0
// CRC-8 with the polynomial x^8 + x^2 + x + 1 (SMBUS): the check of headers.
// Finds every damage of one bit, of an odd number of bits, or within 8 bits.
#ifndef LLMA_CONTAINER_CRC8_H_
#define LLMA_CONTAINER_CRC8_H_

#include <cstdint>

#include "base/bytes.h"

namespace llma {

// Most significant bit first, start value 0, no final inversion.
constexpr uint8_t Crc8(Bytes data) {
  uint32_t crc = 0;
  for (const uint8_t byte : data) {
    crc ^= byte;
    for (int i = 0; i < 8; ++i) {
      crc = (crc << 1) ^ ((crc & 0x80) != 0 ? 0x107u : 0u);
    }
  }
  return static_cast<uint8_t>(crc);
}

}  // namespace llma

#endif  // LLMA_CONTAINER_CRC8_H_
