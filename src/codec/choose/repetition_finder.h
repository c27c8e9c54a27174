// SPDX-License-Identifier: Apache-2.0
// Finds the repetitions in a content that are worth leaving out. Only an
// encoder asks.
#ifndef LLMA_CODEC_REPETITION_FINDER_H_
#define LLMA_CODEC_REPETITION_FINDER_H_

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "codec/frame/repetitions.h"

namespace llma {

// Goes through a content once, as it arrives: some nanoseconds a byte. It
// remembers hashes of blocks at multiples of a block's size and looks up the
// block after every position, so that it finds all repetitions twice as long.
class RepetitionFinder {
 public:
  // max_content_bytes: sizes the table. At most 2^31. The reference must
  // outlive it.
  explicit RepetitionFinder(uint64_t max_content_bytes, Bytes reference = {});

  // What its table takes.
  static uint64_t MemoryBytes(uint64_t max_content_bytes,
                              uint64_t reference_bytes);

  // `content`: what was given before, and more. What is found depends on where
  // it was cut, too.
  void Scan(Bytes content);

  // In all that was scanned.
  uint64_t repeated_bytes() const { return repeated_bytes_; }
  std::vector<Repetition> Repetitions() const;

 private:
  // Offsets count from the start of the reference.
  struct Slot {
    uint32_t tag;
    uint32_t end_ofs;  // 0: empty
  };
  struct Found {
    uint64_t begin_ofs, size_bytes, distance_bytes;
  };
  Slot& SlotOf(uint64_t hash);
  uint8_t SourceByte(Bytes content, uint64_t ofs) const {
    return ofs < reference_.size()
               ? reference_[static_cast<size_t>(ofs)]
               : content[static_cast<size_t>(ofs - reference_.size())];
  }
  // The repetition around the equal blocks of the content at `ofs` and of all
  // at `source_ofs`, if it is long enough.
  bool Extend(Bytes content, uint64_t ofs, uint64_t source_ofs);

  const Bytes reference_;
  std::vector<Slot> slots_;
  int shift_;
  uint64_t next_ofs_ = 0;  // of the next block to look up
  std::vector<Found> found_;
  uint64_t repeated_bytes_ = 0;
};

}  // namespace llma

#endif  // LLMA_CODEC_REPETITION_FINDER_H_
