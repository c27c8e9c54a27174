// SPDX-License-Identifier: Apache-2.0
// BPE: any bytes to tokens. Only ratio depends on it, never
// correctness: the decoder reads where tokens end.
#ifndef LLMA_TOKENIZER_TOKENIZER_H_
#define LLMA_TOKENIZER_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "model/model.h"
#include "model/text_piece.h"

namespace llma {

// Immutable; thread-safe.
class Tokenizer {
 public:
  // `tokens` and what `spec` refers to must outlive the tokenizer.
  // kUnsupported if the pre-tokenizer is unknown.
  static Result<std::unique_ptr<Tokenizer>> Create(const TokenTable& tokens,
                                                   const TokenizerSpec& spec);
  ~Tokenizer();

  // Covers any bytes exactly. The time is O(n log n) at worst.
  std::vector<TextPiece> Encode(Bytes text) const;

 private:
  struct Parts;
  explicit Tokenizer(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace llma

#endif  // LLMA_TOKENIZER_TOKENIZER_H_
