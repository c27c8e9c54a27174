// SPDX-License-Identifier: Apache-2.0
// The parts of LaneHistory that follow words, names, segments and classes.
#include <array>
#include <cstddef>
#include <iterator>
#include <string_view>

#include "cm/byte_kinds.h"
#include "cm/hashing.h"
#include "cm/lane_history.h"

namespace llma::cm {
namespace {

// Puts `value` in front; the last one falls out.
template <size_t kSize>
void PushFront(std::array<uint32_t, kSize>& values, uint32_t value) {
  for (size_t i = kSize - 1; i > 0; --i) values[i] = values[i - 1];
  values[0] = value;
}

bool IsDelimiter(uint32_t c) {
  return c < 128 &&
         std::string_view("\n\t\"#&'(),/:;<=>[]{|}")
                 .find(static_cast<char>(c)) != std::string_view::npos;
}

// 1 lower case, 2 upper case, 3 digit, 4 blank, 5 line end, 6 byte >= 128,
// 7 control, 8 opening and 9 closing bracket, 10 quotation mark, 11 . ! ?,
// 12 , ; :, 13 - _ /, 14 = < > + *, 15 the rest.
constexpr auto kClass = [] {
  std::array<uint8_t, 256> table{};
  for (size_t c = 0; c < 256; ++c) table[c] = c >= 128 ? 6 : c < 32 ? 7 : 15;
  for (size_t c = 'a'; c <= 'z'; ++c) table[c] = 1;
  for (size_t c = 'A'; c <= 'Z'; ++c) table[c] = 2;
  for (size_t c = '0'; c <= '9'; ++c) table[c] = 3;
  constexpr std::string_view kMembers[] = {" \t", "\n\r", "",     "",
                                           "([{", ")]}",  "\"'`", ".!?",
                                           ",;:", "-_/",  "=<>+*"};
  for (size_t i = 0; i < std::size(kMembers); ++i) {
    for (const char c : kMembers[i]) {
      table[static_cast<size_t>(c)] = static_cast<uint8_t>(4 + i);
    }
  }
  return table;
}();

}  // namespace

void LaneHistory::AppendToWords(uint32_t byte) {
  if (byte >= 0xc0) {
    lead = byte;
  } else if (byte < 0x80) {
    lead = 0;
  }
  // Chinese and Japanese: each character is a word. General punctuation and
  // signs are no letters.
  const bool is_sign = lead == 0xe2 || lead == 0xc2;
  if (byte == lead && word != 0 && IsIdeographLead(byte)) EndWord();
  if (IsLetter(byte) && !is_sign) {
    if (word == 0) gap_length = 0;
    word = Combine(word, FoldCase(byte)) | 1;
    ++word_length;
  } else {
    if (word != 0) EndWord();
    gap = Combine(gap, byte);
    ++gap_length;
    if (byte == '.' || byte == '!' || byte == '?' ||
        (last8 & 0xffff) == 0x0a0a) {
      sentence_words = 0;
    }
  }
  number = IsDigit(byte) ? Combine(number, byte) | 1 : 0;
}

void LaneHistory::EndWord() {
  PushFront(words, word);
  word = 0;
  word_length = 0;
  gap = 0;
  gap_length = 0;
  ++sentence_words;
  ++word_count;
}

void LaneHistory::AppendFolded(uint32_t byte) {
  if (byte <= ' ') {
    if ((folded8 & 0xff) != ' ') folded8 = folded8 << 8 | ' ';
  } else {
    folded8 = folded8 << 8 | (IsDigit(byte) ? '0' : FoldCase(byte));
  }
}

void LaneHistory::AppendToNames(uint32_t byte) {
  if (IsLetter(byte) || IsDigit(byte) || byte == '_') {
    name = Combine(name, byte) | 1;
    return;
  }
  if (name != 0) {
    name_before = name;
    name = 0;
    operators = 0;
  }
  operators = Combine(operators, byte);
}

void LaneHistory::AppendToSegments(uint32_t byte) {
  if (!IsDelimiter(byte)) {
    segment = Combine(segment, byte);
    return;
  }
  if (segment != 0) {
    PushFront(segments, segment);
    segment = 0;
  }
  delimiter_before = delimiter;
  delimiter = byte;
}

void LaneHistory::AppendToClasses(uint32_t byte) {
  const uint32_t c = kClass[byte];
  if ((classes & 15) == c) {
    ++run_length;
  } else {
    shape = shape << 4 | c;
    run_length = 1;
  }
  classes = classes << 4 | c;
}

}  // namespace llma::cm
