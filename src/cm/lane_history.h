// SPDX-License-Identifier: Apache-2.0
// What one lane has read: its place in the content and all that the context
// models derive from the bytes before it, updated byte by byte. It holds no
// statistics; those are shared by all lanes (ContextMixer).
#ifndef LLMA_CM_LANE_HISTORY_H_
#define LLMA_CM_LANE_HISTORY_H_

#include <array>
#include <cstdint>

#include "cm/byte_kinds.h"
#include "cm/record_fields.h"

namespace llma::cm {

// A pointer into coded bytes that predicts the next one.
struct MatchState {
  uint32_t source_ofs = 0;  // of the predicted byte, in the content
  uint32_t length = 0;      // bytes that agreed; 0: no match
  uint32_t misses = 0;      // of the last 8 predictions, one bit each
  uint32_t source_lane = 0;
};
// Longer matches count as this long.
inline constexpr uint32_t kMaxMatchLength = 65535;

inline constexpr int kMaxMatchModels = 3;

struct LaneHistory {
  explicit LaneHistory(uint32_t begin)
      : begin_ofs(begin),
        next_ofs(begin),
        line_begin_ofs(begin),
        line_above_ofs(begin) {}

  // Bytes [begin_ofs, next_ofs) of the content are coded.
  uint32_t begin_ofs;
  uint32_t next_ofs;
  uint64_t last8 = 0;  // the last bytes, latest lowest; 0 before the lane
  // The same of the text with letters in lower case, any digit as 0 and any
  // run of white space as one blank.
  uint64_t folded8 = 0;

  uint32_t binary_score = 0;  // byte_kinds.h

  // Words: runs of letters (ASCII folded) and bytes >= 128; 0: none.
  uint32_t word = 0;                   // hash of the unfinished word
  std::array<uint32_t, 5> words = {};  // of those before it, latest first
  uint32_t word_length = 0;
  uint32_t word_count = 0;  // of words that ended
  uint32_t lead = 0;        // first byte of this UTF-8 character, 0 in ASCII
  uint32_t gap = 0;         // hash of the bytes since the last word's end
  uint32_t gap_length = 0;
  uint32_t number = 0;          // hash of the unfinished run of digits
  uint32_t sentence_words = 0;  // since . ! ? or an empty line

  // Names: runs of letters, digits, _ and bytes >= 128, as in programs.
  uint32_t name = 0;         // hash of the unfinished name
  uint32_t name_before = 0;  // of the last one
  uint32_t operators = 0;    // hash of the bytes since the last name

  // Classes of bytes, 4 bits each, latest lowest: all, and runs as one.
  uint64_t classes = 0;
  uint64_t shape = 0;
  uint32_t run_length = 0;  // of the latest class

  // Lines.
  uint32_t line_begin_ofs;
  uint32_t line_above_ofs;         // begin of the line before
  uint32_t line_above_length = 0;  // with its end
  uint32_t indent = 0;             // leading blanks of this line
  bool in_indent = true;
  uint32_t first_byte = 0;  // of the line, after blanks
  uint32_t first_word = 0;  // hash of it
  uint32_t first_word_above = 0;
  uint32_t line_hash = 0;   // of the bytes of this line
  uint32_t blanks = 0;      // runs of blanks in this line
  uint32_t field = 0;       // separators , ; tab | outside quotes in this line
  uint32_t field_hash = 0;  // of the bytes since the last one

  // Segments: what stands between delimiters.
  uint32_t segment = 0;                   // hash of the unfinished one
  std::array<uint32_t, 4> segments = {};  // of those before it, latest first
  uint32_t delimiter = 0;                 // the last one
  uint32_t delimiter_before = 0;
  // By bracket depth: what path and key were outside.
  std::array<uint32_t, 32> paths = {};
  std::array<uint32_t, 32> keys = {};
  uint32_t path = 0;  // hash of the open keys

  // Markup and brackets.
  std::array<uint32_t, 16> tags = {};  // hashes of open elements
  uint32_t tag_depth = 0;
  uint32_t tag = 0;       // hash of the name being read
  uint32_t tag_mode = 0;  // 0 text, 1 after <, 2 in name, 3 in attributes
  bool tag_closes = false;
  uint32_t sibling = 0;    // the element that ended last
  uint32_t attribute = 0;  // hash of its name
  std::array<uint8_t, 32> brackets = {};
  uint32_t bracket_depth = 0;
  uint32_t quote = 0;   // the open quotation mark, 0: none
  uint32_t quoted = 0;  // hash of the text in quotation marks
  uint32_t key = 0;     // hash of the last quoted text before a colon

  std::array<FieldCursor, kNumFieldKinds> cursors = {};

  std::array<MatchState, kMaxMatchModels> match = {};

  uint32_t c1() const { return static_cast<uint32_t>(last8 & 0xff); }
  uint32_t c2() const { return static_cast<uint32_t>(last8 >> 8 & 0xff); }
  uint32_t c3() const { return static_cast<uint32_t>(last8 >> 16 & 0xff); }
  uint32_t c4() const { return static_cast<uint32_t>(last8 >> 24 & 0xff); }
  uint32_t last4() const { return static_cast<uint32_t>(last8); }
  bool IsBinary() const { return IsBinaryScore(binary_score); }
  uint32_t num_bytes() const { return next_ofs - begin_ofs; }
  uint32_t column() const { return next_ofs - line_begin_ofs; }

  // Appends a byte; `next_ofs` counts it afterwards.
  void Append(uint8_t byte);
  // The same, but follows nothing beyond last8 and words.
  void AppendPlain(uint8_t byte);

 private:
  void AppendToWords(uint32_t byte);
  void EndWord();
  void AppendFolded(uint32_t byte);
  void AppendToNames(uint32_t byte);
  void AppendToSegments(uint32_t byte);
  void AppendToClasses(uint32_t byte);
  void AppendToLine(uint32_t byte);
  void AppendToMarkup(uint32_t byte);
  void AppendToBrackets(uint32_t byte);
};

}  // namespace llma::cm

#endif  // LLMA_CM_LANE_HISTORY_H_
