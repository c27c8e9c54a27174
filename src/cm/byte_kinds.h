// SPDX-License-Identifier: Apache-2.0
// Kinds of bytes, as ASCII has them; no locale. Bytes >= 128 count as letters,
// since in UTF-8 they mostly belong to words.
#ifndef LLMA_CM_BYTE_KINDS_H_
#define LLMA_CM_BYTE_KINDS_H_

#include <cstdint>

namespace llma::cm {

inline bool IsLetter(uint32_t c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c >= 128;
}
inline bool IsDigit(uint32_t c) { return c >= '0' && c <= '9'; }
inline bool IsBlank(uint32_t c) { return c == ' ' || c == '\t'; }
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
