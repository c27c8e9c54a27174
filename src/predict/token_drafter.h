// SPDX-License-Identifier: Apache-2.0
// Guesses the next tokens of a stream from what followed the same tokens
// before, for speculative decoding (Leviathan et al. 2023; drafts from the
// text itself: "prompt lookup", Saxena 2023).
#ifndef LLMA_PREDICT_TOKEN_DRAFTER_H_
#define LLMA_PREDICT_TOKEN_DRAFTER_H_

#include <cstdint>
#include <span>
#include <vector>

namespace llma {

// Only speed depends on the guesses, so nothing here is part of the format.
// Takes 4 bytes a token and 256 KB. Thread-compatible.
class TokenDrafter {
 public:
  TokenDrafter();

  // Appends the stream's next token.
  void Push(uint32_t token);

  // What may follow: more tokens the longer the guesses have been right, at
  // most `max_tokens`; none if `min_match` tokens or more did not match. Valid
  // until the next Push.
  std::span<const uint32_t> Draft(uint32_t min_match,
                                  uint32_t max_tokens) const;

 private:
  std::vector<uint32_t> history_;
  std::vector<uint32_t>
      table_;                  // [hash of the last tokens]: where one followed
  size_t match_ = 0;           // in history_: the guess; 0: none
  uint32_t match_length_ = 0;  // tokens before it that agree
};

}  // namespace llma

#endif  // LLMA_PREDICT_TOKEN_DRAFTER_H_
