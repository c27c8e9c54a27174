// SPDX-License-Identifier: Apache-2.0
// The values of fields that records repeat: a column of a table, an item of a
// log's line, the value of a key, an attribute or an element. A field's last
// value says what to expect now, byte by byte.
#ifndef LLMA_CM_RECORD_FIELDS_H_
#define LLMA_CM_RECORD_FIELDS_H_

#include <array>
#include <cstdint>
#include <span>

#include "cm/zeroed_array.h"

namespace llma::cm {

// The value that a lane is in, of one kind of field.
struct FieldCursor {
  uint32_t field_id = 0;    // hash of what identifies the field
  uint32_t value = 0;       // hash of its bytes so far
  uint32_t begin_ofs = 0;   // of the value in the content
  uint32_t source_ofs = 0;  // of the last value of this field
  uint32_t before = 0;      // its hash, 0: there is none
  uint32_t agreed = 0;      // bytes that were as expected, since one was not
  uint32_t misses = 0;      // bytes that were not
  // What that value has here and one byte on, plus 256; 0: nothing.
  uint32_t expected = 0;
  uint32_t expected_after = 0;
};

enum FieldKind : uint32_t { kStructure = 0, kField = 1, kItem = 2 };
inline constexpr uint32_t kNumFieldKinds = 3;

struct LaneHistory;

// The last values of all fields, shared by all lanes. Thread-compatible.
class RecordFields {
 public:
  explicit RecordFields(PageSource pages)
      : last_(size_t{kNumFieldKinds} << kLog2, pages) {}
  // After `lane` has appended a byte.
  void Append(std::span<const uint8_t> content, LaneHistory& lane);

 private:
  static constexpr uint32_t kLog2 = 14;
  struct Last {
    uint32_t ofs = 0;
    uint32_t value = 0;
  };
  static void Look(std::span<const uint8_t> content, uint32_t next_ofs,
                   FieldCursor& cursor);
  void BeginValues(LaneHistory& lane);
  void Begin(LaneHistory& lane, FieldKind kind, uint32_t field);

  ZeroedArray<Last> last_;
};

}  // namespace llma::cm

#endif  // LLMA_CM_RECORD_FIELDS_H_
