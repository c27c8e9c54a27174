// SPDX-License-Identifier: Apache-2.0
// For tests: pieces without a tokenizer.
#ifndef LLMA_CODEC_LONGEST_PIECES_H_
#define LLMA_CODEC_LONGEST_PIECES_H_

#include <algorithm>
#include <vector>

#include "base/bytes.h"
#include "model/model.h"
#include "model/text_piece.h"

namespace llma {

// The longest token that fits, again and again: any spelling will do.
inline std::vector<TextPiece> LongestPieces(const TokenTable& tokens,
                                            Bytes content) {
  std::vector<TextPiece> pieces;
  while (!content.empty()) {
    TextPiece best = {TextPiece::kEscape, 1};
    for (uint32_t token = 0; token < tokens.num_tokens(); ++token) {
      const Bytes spelling = tokens.spelling(token);
      if (spelling.size() <= content.size() &&
          (best.token == TextPiece::kEscape ||
           spelling.size() > best.size_bytes) &&
          std::equal(spelling.begin(), spelling.end(), content.begin())) {
        best = {token, static_cast<uint32_t>(spelling.size())};
      }
    }
    pieces.push_back(best);
    content = content.subspan(best.size_bytes);
  }
  return pieces;
}

}  // namespace llma

#endif  // LLMA_CODEC_LONGEST_PIECES_H_
