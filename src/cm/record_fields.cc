// SPDX-License-Identifier: Apache-2.0
#include "cm/record_fields.h"

#include "cm/byte_kinds.h"
#include "cm/hashing.h"
#include "cm/lane_history.h"

namespace llma::cm {

void RecordFields::Begin(LaneHistory& lane, FieldKind kind, uint32_t field) {
  FieldCursor& cursor = lane.cursors[kind];
  if (cursor.value != 0) {
    Last& last = last_[kind << kLog2 | cursor.field_id >> (32 - kLog2)];
    last.value = cursor.value;
    last.ofs = cursor.begin_ofs;
  }
  const uint32_t hash = Combine(field, kind);
  const Last& last = last_[kind << kLog2 | hash >> (32 - kLog2)];
  cursor = {.field_id = hash,
            .begin_ofs = lane.next_ofs,
            .source_ofs = last.ofs,
            .before = last.value};
}

// Bytes that are not coded yet, in another lane, are zeros.
void RecordFields::Look(std::span<const uint8_t> content, uint32_t next_ofs,
                        FieldCursor& cursor) {
  cursor.expected = cursor.expected_after = 0;
  if (cursor.before == 0) return;
  const size_t ofs = cursor.source_ofs + (next_ofs - cursor.begin_ofs);
  if (ofs < content.size()) cursor.expected = content[ofs] | 256u;
  if (ofs + 1 < content.size()) {
    cursor.expected_after = content[ofs + 1] | 256u;
  }
}

void RecordFields::Append(std::span<const uint8_t> content, LaneHistory& lane) {
  const uint32_t byte = lane.c1();
  for (FieldCursor& cursor : lane.cursors) {
    if (cursor.expected != 0) {
      if (cursor.expected == (byte | 256)) {
        ++cursor.agreed;
      } else {
        cursor.agreed = 0;
        ++cursor.misses;
      }
    }
    cursor.value = Combine(cursor.value, byte);
  }
  BeginValues(lane);
  for (FieldCursor& cursor : lane.cursors) Look(content, lane.next_ofs, cursor);
}

void RecordFields::BeginValues(LaneHistory& lane) {
  const uint32_t byte = lane.c1();
  if (byte == '\n') {
    Begin(lane, kStructure, Combine(lane.first_word_above, lane.path) + 5);
    Begin(lane, kField, 0);
    Begin(lane, kItem, 0);
    return;
  }
  if (lane.quote == 0 && IsFieldSeparator(byte)) {
    Begin(lane, kField, lane.field);
  }
  if (IsBlank(byte)) {
    if (!IsBlank(lane.c2())) {
      ++lane.blanks;
    } else {
      lane.cursors[kItem].value = 0;  // it has not begun yet
    }
    Begin(lane, kItem, lane.blanks);
  }
  if (byte == '>' && lane.tag_mode == 0) {
    Begin(lane, kStructure,
          Combine(lane.tags[(lane.tag_depth - 1) & 15],
                  lane.tags[(lane.tag_depth - 2) & 15]));
  } else if (byte == '<') {
    Begin(lane, kStructure,
          Combine(lane.tags[(lane.tag_depth - 1) & 15], lane.sibling));
  } else if (byte == '"' && lane.quote != 0) {
    Begin(lane, kStructure,
          lane.tag_mode >= 2
              ? Combine(lane.tag, lane.attribute)
              : Combine(Combine(lane.path, lane.key), lane.delimiter_before));
  } else if (byte == ':' && lane.quote == 0) {
    Begin(lane, kStructure, Combine(lane.path, lane.key) + 2);
  }
}

}  // namespace llma::cm
