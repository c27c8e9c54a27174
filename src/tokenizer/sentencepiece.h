// SPDX-License-Identifier: Apache-2.0
// SentencePiece's BPE: characters are merged, over any distance.
#ifndef LLMA_TOKENIZER_SENTENCEPIECE_H_
#define LLMA_TOKENIZER_SENTENCEPIECE_H_

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "model/model.h"
#include "model/text_piece.h"
#include "tokenizer/bpe.h"

namespace llma {

// Immutable; thread-safe.
class SentencePiece {
 public:
  // What is given must outlive it. Tokens of several characters that are the
  // result of no merge are whole: they are looked for before anything is
  // merged, from left to right, the longest first.
  SentencePiece(const TokenTable& tokens, const SpellingTable& spellings,
                std::span<const uint32_t> merges);

  // Appends the tokens of a text. The merger has nothing added. The text is
  // cut between bytes that stand together in no token, where nothing can be
  // merged, and after kMaxPieceBytes. A character without a token starts as
  // bytes.
  void Encode(Bytes text, BpeMerger& merger, std::vector<TextPiece>& out) const;

 private:
  // The longest whole token that `text` starts with, or kEscape.
  uint32_t FindWhole(Bytes text) const;
  void AddCharacter(Bytes character, BpeMerger& merger) const;

  const TokenTable tokens_;
  const SpellingTable& spellings_;
  std::vector<uint32_t> whole_rows_;  // ascending, as their spellings are
  // By first byte: where they begin in whole_rows_; and the end.
  std::array<uint32_t, 257> whole_begin_{};
  std::bitset<65536> stand_together_;  // by both bytes
};

}  // namespace llma

#endif  // LLMA_TOKENIZER_SENTENCEPIECE_H_
