// SPDX-License-Identifier: Apache-2.0
// Bytes as text and back, and as hexadecimal digits.
#ifndef LLMA_CLI_BYTE_TEXT_H_
#define LLMA_CLI_BYTE_TEXT_H_

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace llma::cli {

using Bytes = std::span<const uint8_t>;

inline Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}
inline std::string_view AsText(Bytes bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

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

}  // namespace llma::cli

#endif  // LLMA_CLI_BYTE_TEXT_H_
