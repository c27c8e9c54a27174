// SPDX-License-Identifier: Apache-2.0
// Kinds of bytes, as ASCII has them; no locale. Bytes >= 128 count as letters,
// since in UTF-8 they mostly belong to words.
#ifndef LLMA_CM_BYTE_KINDS_H_
#define LLMA_CM_BYTE_KINDS_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <span>

namespace llma::cm {

inline bool IsLetter(uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 128;
}
inline bool IsDigit(uint32_t c) { return c >= '0' && c <= '9'; }
inline bool IsBlank(uint32_t c) { return c == ' ' || c == '\t'; }
// What text hardly has: all below 32 but what moves to another place.
inline bool IsControl(uint32_t c) { return c < 32 && (c < 9 || c > 13); }
// With more than one control character in so many bytes, content is no text;
// backspaces do not count, for printed text overstrikes.
inline constexpr size_t kMaxTextPerControl = 64;
inline bool HasManyControls(std::span<const uint8_t> bytes) {
  const auto controls =
      std::count_if(bytes.begin(), bytes.end(),
                    [](uint8_t c) { return IsControl(c) && c != '\b'; });
  return static_cast<size_t>(controls) > bytes.size() / kMaxTextPerControl;
}
// How much of what was read lately is no text, a decaying count of control
// characters: 0 to 4080.
inline uint32_t NextBinaryScore(uint32_t score, uint32_t c) {
  return score + (IsControl(c) ? 255 : 0) - (score >> 4);
}
inline bool IsBinaryScore(uint32_t score) { return score > 400; }
inline bool IsFieldSeparator(uint32_t c) {
  return c == ',' || c == ';' || c == '\t' || c == '|';
}
// First bytes of UTF-8 for the characters U+3000 to U+9FFF and U+F000 to
// U+FFFF.
inline bool IsIdeographLead(uint32_t c) {
  return (c >= 0xe3 && c <= 0xe9) || c == 0xef;
}
inline uint32_t FoldCase(uint32_t c) {
  return c >= 'A' && c <= 'Z' ? c + 32 : c;
}

}  // namespace llma::cm

#endif  // LLMA_CM_BYTE_KINDS_H_
