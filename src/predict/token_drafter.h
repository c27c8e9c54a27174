// SPDX-License-Identifier: Apache-2.0
// Guesses the next tokens of a stream from what followed the same tokens
// before, for speculative decoding (Leviathan et al. 2023; drafts from the
// text itself: "prompt lookup", Saxena 2023; trees of them: Miao et al. 2023).
#ifndef LLMA_PREDICT_TOKEN_DRAFTER_H_
#define LLMA_PREDICT_TOKEN_DRAFTER_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

namespace llma {

// Alternatives for what comes next: token i follows parents[i] < i. The first
// is the stream's last token, the others are guesses, by their distance from
// it.
struct TokenTree {
  std::vector<uint32_t> tokens, parents;
};

// The most tokens of a tree that a pass of the model takes.
inline constexpr uint32_t kMaxPassTokens = 16;

// Only speed depends on the guesses, so nothing here is part of the format.
// Takes 12 bytes a token of the stream, 4 of the vocabulary, and 256 KB.
// Thread-compatible.
class TokenDrafter {
 public:
  TokenDrafter();

  // Appends the stream's next token.
  void Push(uint32_t token);

  // The guesses, at most `max_tokens` with the last token, that make a token
  // cheapest: a pass with one token more takes `cost` of the time of a pass
  // with one. Something must have been pushed. Valid until the next call.
  const TokenTree& Draft(uint32_t max_tokens, float cost);

 private:
  // What followed the same tokens before.
  struct Guess {
    uint32_t token;
    uint32_t length;  // the most tokens before it that agree
    uint32_t weight;
    float* probability;  // how often guesses like this one were right
  };
  // A guess of a tree.
  struct Node {
    uint32_t token;
    uint32_t parent;
    uint32_t depth;
    float probability;  // that it and all before it are right
  };

  // Sets guesses_ to what may follow `path` after the stream, likeliest first.
  void Find(std::span<const uint32_t> path);
  // Adds what may follow a node to open_.
  void Open(uint32_t node);
  void SortIntoTree();

  std::vector<uint32_t> history_;
  // Where a token followed the same one or two tokens as history_[i + 1] does,
  // last before it; 0: nowhere.
  std::vector<uint32_t> before_one_, before_two_;  // [i]
  // Where a token followed the last time.
  std::vector<uint32_t> last_one_;  // [token]
  std::vector<uint32_t> last_two_;  // [hash of two tokens]

  static constexpr uint32_t kMaxGuesses = 4, kLengths = 7, kShares = 16;
  // [length, rank, share of the weights]
  std::array<std::array<std::array<float, kShares>, kMaxGuesses>, kLengths>
      probabilities_;

  std::vector<Guess> guesses_;
  std::vector<Node> nodes_, open_;  // in the tree; that may come into it
  std::vector<uint32_t> path_;
  TokenTree tree_;
};

}  // namespace llma

#endif  // LLMA_PREDICT_TOKEN_DRAFTER_H_
