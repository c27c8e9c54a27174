// SPDX-License-Identifier: Apache-2.0
#include "cm/lane_history.h"

#include "cm/byte_kinds.h"
#include "cm/hashing.h"

namespace llma::cm {

void LaneHistory::AppendPlain(uint8_t byte) {
  last8 = last8 << 8 | byte;
  ++next_ofs;
  binary_score = NextBinaryScore(binary_score, byte);
  AppendToWords(byte);
}

void LaneHistory::Append(uint8_t byte) {
  AppendPlain(byte);
  AppendFolded(byte);
  AppendToNames(byte);
  AppendToSegments(byte);
  AppendToClasses(byte);
  AppendToMarkup(byte);
  AppendToBrackets(byte);
  AppendToLine(byte);
}

void LaneHistory::AppendToLine(uint32_t byte) {
  if (byte == '\n') {
    line_above_ofs = line_begin_ofs;
    line_above_length = next_ofs - line_begin_ofs;
    line_begin_ofs = next_ofs;
    indent = 0;
    in_indent = true;
    first_byte = 0;
    first_word_above = first_word;
    first_word = 0;
    line_hash = 0;
    blanks = 0;
    field = 0;
    field_hash = 0;
    return;
  }
  line_hash = Combine(line_hash, byte);
  if (in_indent) {
    if (IsBlank(byte)) {
      ++indent;
    } else {
      in_indent = false;
      first_byte = byte;
    }
  }
  if (first_word == 0 && word == 0 && words[0] != 0 && !in_indent &&
      !IsLetter(byte)) {
    first_word = words[0];
  }
  if (quote == 0 && IsFieldSeparator(byte)) {
    ++field;
    field_hash = 0;
  } else {
    field_hash = Combine(field_hash, byte);
  }
}

// Elements by the letters after '<'; forgiving, for HTML is not well formed.
void LaneHistory::AppendToMarkup(uint32_t byte) {
  if (byte == '<') {
    tag_mode = 1;
    tag = 0;
    tag_closes = false;
    return;
  }
  if (tag_mode == 0) return;
  if (byte == '>') {
    const uint32_t depth_mask = static_cast<uint32_t>(tags.size()) - 1;
    if (tag_closes) {
      if (tag_depth > 0) --tag_depth;
      sibling = tag;
    } else if (tag != 0 && (last8 >> 8 & 0xff) != '/') {
      tags[tag_depth & depth_mask] = tag;
      ++tag_depth;
      sibling = 0;
    } else {
      sibling = tag;
    }
    tag_mode = 0;
    return;
  }
  if (tag_mode == 1) {
    if (byte == '/') {
      tag_closes = true;
    } else if (IsLetter(byte)) {
      tag_mode = 2;
      tag = Combine(0, byte) | 1;
    } else {
      tag_mode = 0;  // a comparison, a comment, a declaration
    }
  } else if (tag_mode == 2) {
    if (IsLetter(byte) || IsDigit(byte) || byte == ':' || byte == '-' ||
        byte == '_') {
      tag = Combine(tag, byte) | 1;
    } else {
      tag_mode = 3;
    }
  } else if (byte == '=' && quote == 0) {
    attribute = name_before;
  }
}

void LaneHistory::AppendToBrackets(uint32_t byte) {
  const uint32_t mask = static_cast<uint32_t>(brackets.size()) - 1;
  if (byte == '"') {
    if (quote != 0) {
      quote = 0;
    } else {
      quote = byte;
      quoted = 0;
    }
    return;
  }
  if (quote != 0) {
    quoted = Combine(quoted, byte);
    if (byte == '\n') quote = 0;
    return;
  }
  if (byte == '(' || byte == '[' || byte == '{') {
    brackets[bracket_depth & mask] = static_cast<uint8_t>(byte);
    paths[bracket_depth & mask] = path;
    keys[bracket_depth & mask] = key;
    path = Combine(path, key);
    ++bracket_depth;
  } else if (byte == ')' || byte == ']' || byte == '}') {
    if (bracket_depth > 0) {
      --bracket_depth;
      path = paths[bracket_depth & mask];
      key = keys[bracket_depth & mask];
    }
  } else if (byte == ':') {
    key = quoted;
  }
}

}  // namespace llma::cm
