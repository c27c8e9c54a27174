// SPDX-License-Identifier: Apache-2.0
// Classes of characters in one version of Unicode, the same on every machine.
#ifndef LLMA_TOKENIZER_UNICODE_TABLE_H_
#define LLMA_TOKENIZER_UNICODE_TABLE_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <iterator>

namespace llma {

// General categories, some joined, but for characters that are white space.
enum class CharClass : uint8_t {
  kOther,
  kUpper,        // Lu
  kLower,        // Ll
  kTitle,        // Lt
  kModifier,     // Lm
  kOtherLetter,  // Lo
  kMark,         // M
  kNumber,       // N
  kPunctuation,  // P
  kSymbol,       // S
  kSpace,        // the property White_Space
};

extern const char kUnicodeVersion[];

// Of each run of characters of one class the first, times 16, and the class;
// ascending, from 0 on.
inline constexpr size_t kNumUnicodeRanges = 3489;
extern const uint32_t kUnicodeRanges[kNumUnicodeRanges];

inline CharClass ClassOf(char32_t character) {
  const uint32_t last_of_it = static_cast<uint32_t>(character) << 4 | 15;
  return static_cast<CharClass>(
      *std::prev(std::upper_bound(std::begin(kUnicodeRanges),
                                  std::end(kUnicodeRanges), last_of_it)) &
      15);
}

}  // namespace llma

#endif  // LLMA_TOKENIZER_UNICODE_TABLE_H_
