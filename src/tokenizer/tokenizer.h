// SPDX-License-Identifier: Apache-2.0
// Byte-level BPE: any bytes to token rows. Only ratio depends on it, never
// correctness: the decoder is told where tokens end.
#ifndef LLMA_TOKENIZER_TOKENIZER_H_
#define LLMA_TOKENIZER_TOKENIZER_H_

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace llma {

// A token, or a byte that no token spells.
struct TextPiece {
  static constexpr uint32_t kEscape = ~uint32_t{0};
  uint32_t row;         // row of the token table, or kEscape
  uint32_t size_bytes;  // length of its spelling; 1 for an escaped byte
};

}  // namespace llma

#endif  // LLMA_TOKENIZER_TOKENIZER_H_
