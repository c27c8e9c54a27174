// SPDX-License-Identifier: Apache-2.0
// Bytes as hexadecimal digits.
#ifndef LLMA_BASE_HEX_H_
#define LLMA_BASE_HEX_H_

#include <string>

#include "base/bytes.h"

namespace llma {

// "0123abcd..."
inline std::string ToHex(Bytes bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  for (const uint8_t byte : bytes) {
    hex += kDigits[byte >> 4];
    hex += kDigits[byte & 15];
  }
  return hex;
}

}  // namespace llma

#endif  // LLMA_BASE_HEX_H_
