// SPDX-License-Identifier: Apache-2.0
// Cuts text into the pieces within which byte pairs are merged.
#ifndef LLMA_TOKENIZER_PRE_TOKENIZER_H_
#define LLMA_TOKENIZER_PRE_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "tokenizer/split_patterns.h"
#include "tokenizer/split_regex.h"

namespace llma {

// A pattern sees at most this many bytes from the start of a piece, so pieces
// are no longer. This bounds the time of one match.
inline constexpr size_t kMaxPieceBytes = 4096;

// Thread-safe.
class PreTokenizer {
 public:
  static Result<PreTokenizer> Create(const SplitPattern& pattern);

  // Lengths of the pieces, in order; they cover any bytes exactly. Bytes that
  // are not UTF-8 form pieces of their own.
  std::vector<uint32_t> Split(Bytes text) const;

 private:
  std::vector<SplitRegex> stages_;
};

}  // namespace llma

#endif  // LLMA_TOKENIZER_PRE_TOKENIZER_H_
