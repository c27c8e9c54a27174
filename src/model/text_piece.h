// SPDX-License-Identifier: Apache-2.0
// What a tokenizer cuts a text into and an encoder codes.
#ifndef LLMA_MODEL_TEXT_PIECE_H_
#define LLMA_MODEL_TEXT_PIECE_H_

#include <cstdint>

namespace llma {

// A token, or a byte that no token spells.
struct TextPiece {
  static constexpr uint32_t kEscape = ~uint32_t{0};
  uint32_t token;       // its number in the table, or kEscape
  uint32_t size_bytes;  // length of its spelling; 1 for an escaped byte
};

}  // namespace llma

#endif  // LLMA_MODEL_TEXT_PIECE_H_
