// SPDX-License-Identifier: Apache-2.0
// Byte-pair merging within one piece of text.
#ifndef LLMA_TOKENIZER_BPE_H_
#define LLMA_TOKENIZER_BPE_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "model/model.h"
#include "model/text_piece.h"

namespace llma {

// Tokens by the bytes they spell. Open addressing, at most half full. The token
// table must outlive it.
class SpellingTable {
 public:
  explicit SpellingTable(const TokenTable& tokens);
  // The token that spells exactly these bytes, or TextPiece::kEscape.
  uint32_t Find(Bytes spelling) const;

 private:
  TokenTable tokens_;
  std::vector<uint32_t> slots_;  // kEscape: the slot is free
  size_t mask_ = 0;
};

// What two adjacent tokens become. Open addressing, at most half full.
class MergeTable {
 public:
  struct Merge {
    static constexpr uint32_t kNone = ~uint32_t{0};
    uint32_t rank = kNone;  // the lowest goes first
    uint32_t token = 0;     // of the result
  };

  // kCorrupt if the result of a merge is not a token.
  // merges: [num_merges, 2] tokens, by rank. If `ranks_are_shared`, merges that
  // follow each other and have the same result are of one rank.
  static Result<MergeTable> Create(const TokenTable& tokens,
                                   const SpellingTable& spellings,
                                   std::span<const uint32_t> merges,
                                   bool ranks_are_shared = false);
  // rank kNone if the two do not merge.
  Merge Find(uint32_t left, uint32_t right) const {
    const uint64_t key = uint64_t{left} << 32 | right;
    for (size_t i = Hash(key);; ++i) {
      const Slot& slot = slots_[i & mask_];
      if (slot.merge.rank == Merge::kNone || slot.key == key) {
        return slot.merge;
      }
    }
  }

 private:
  struct Slot {
    uint64_t key = 0;
    Merge merge;  // rank kNone: the slot is free
  };
  size_t Hash(uint64_t key) const {
    return static_cast<size_t>(key * 0x9e3779b97f4a7c15 >> 32);
  }
  std::vector<Slot> slots_;
  size_t mask_ = 0;
};

// Merges pieces one after the other; keeps its buffers. Thread-compatible.
class BpeMerger {
 public:
  // token_of_byte: [256], kEscape where no token spells the byte.
  BpeMerger(const MergeTable& merges, std::span<const uint32_t> token_of_byte)
      : merges_(merges), token_of_byte_(token_of_byte) {}

  // Appends the tokens of a piece, in O(n log n). It starts as bytes.
  void Encode(Bytes piece, std::vector<TextPiece>& out);
  // The same for a piece that starts as what was added since the last one.
  // token: kEscape for a byte that no token spells.
  void Add(uint32_t token, uint32_t size_bytes);
  void EncodeAdded(std::vector<TextPiece>& out);

 private:
  // A doubly linked list of tokens; size 0 marks those merged into another.
  struct Symbol {
    uint32_t token;
    uint32_t size_bytes;
    int32_t previous;
    int32_t next;
  };
  // A merge that was possible when it was found.
  struct Candidate {
    uint64_t order;  // rank, then position: the lowest goes first
    uint32_t token;
    bool operator>(const Candidate& other) const { return order > other.order; }
  };

  void AddCandidate(int32_t left);

  const MergeTable& merges_;
  const std::span<const uint32_t> token_of_byte_;
  std::vector<Symbol> symbols_;
  std::vector<Candidate> heap_;
};

}  // namespace llma

#endif  // LLMA_TOKENIZER_BPE_H_
