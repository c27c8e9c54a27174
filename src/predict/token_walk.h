// SPDX-License-Identifier: Apache-2.0
// A token as a series of binary decisions: for each byte its eight bits, most
// significant first, then "does the token end here?". Their probabilities are
// quotients of masses over the byte-sorted vocabulary, so together they cost
// what the token costs.
#ifndef LLMA_PREDICT_TOKEN_WALK_H_
#define LLMA_PREDICT_TOKEN_WALK_H_

#include <array>
#include <bit>
#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "coder/binary_coder.h"
#include "model/model.h"
#include "predict/token_masses.h"

namespace llma {

// Where each first byte begins in the sorted table. Immutable.
class TokenIndex {
 public:
  explicit TokenIndex(const TokenTable& tokens);
  const TokenTable& tokens() const { return tokens_; }
  // Tokens whose first byte is below `byte`, which is in [0, 256].
  uint32_t FirstToken(uint32_t byte) const { return first_token_[byte]; }
  // The first token in [begin, end) whose byte `depth` is >= `byte`; all of
  // them are longer than `depth` and agree in the bytes before it.
  uint32_t LowerBound(uint32_t begin, uint32_t end, uint32_t depth,
                      uint32_t byte) const;

 private:
  const TokenTable& tokens_;
  std::array<uint32_t, 257> first_token_;
};

// Probability of a decision that has only one outcome.
inline constexpr Probability kCertainlyZero = 0;
inline constexpr Probability kCertainlyOne = 1u << kProbBits;

// Walks down one token. The decisions of a path depend on nothing but the
// masses, so an encoder that knows the token sees what the decoder will.
class TokenWalk {
 public:
  TokenWalk(const TokenIndex& index, const TokenMasses& masses);

  bool is_done() const { return is_done_; }
  // Is the next decision a token end (or a bit of a byte)?
  bool at_end_decision() const { return at_end_decision_; }
  // Which bit of the byte is next (7: the most significant).
  int bit_idx() const { return std::countl_zero(node_) - 24; }
  // Of the next decision being 1. It may be certain; then it is not coded.
  Probability p1() const { return p1_; }
  void Push(bool decision);

  // The token, once done.
  uint32_t token() const { return begin_; }
  // The last whole byte.
  uint8_t last_byte() const { return last_byte_; }
  // True after a whole byte if the bytes so far are a token of their own.
  bool can_end_here() const {
    return at_end_decision_ && p1_ != kCertainlyZero;
  }

 private:
  void PrepareBit();
  void PrepareEnd();

  const TokenIndex& index_;
  const TokenMasses& masses_;
  uint32_t begin_ = 0, end_;  // tokens that the decisions so far allow
  uint64_t mass_;             // of these tokens
  uint32_t middle_ = 0;       // first token on the 1 side of the next decision
  uint64_t mass_one_ = 0;     // of the 1 side
  uint32_t depth_ = 0;        // whole bytes so far
  uint32_t node_ = 1;         // bits of this byte after a leading 1
  Probability p1_ = 0;
  bool at_end_decision_ = false;
  bool is_done_ = false;
  uint8_t last_byte_ = 0;
};

// part / whole as a probability, certain where it is 0 or 1.
Probability MassQuotient(uint64_t part, uint64_t whole);

// The decisions' probabilities of a known token, in order.
void RecordWalk(const TokenIndex& index, const TokenMasses& masses,
                uint32_t token, std::vector<Probability>& probabilities);

// A decision of a known token, as two ranges of tokens: its probability is the
// mass of [one_begin, one_end) divided by that of [begin, end), MassQuotient.
struct DecisionRange {
  uint32_t one_begin, one_end, begin, end;
};
// Those whose probabilities RecordWalk() gives, for who has masses elsewhere.
std::vector<DecisionRange> DecisionsOf(const TokenIndex& index, uint32_t token);

// Replays what RecordWalk() saw, with TokenWalk's interface.
class RecordedWalk {
 public:
  explicit RecordedWalk(std::span<const Probability> probabilities)
      : probabilities_(probabilities) {}
  bool is_done() const { return is_done_; }
  bool at_end_decision() const { return at_end_decision_; }
  int bit_idx() const { return std::countl_zero(node_) - 24; }
  Probability p1() const { return probabilities_[next_]; }
  uint8_t last_byte() const { return last_byte_; }
  bool can_end_here() const {
    return at_end_decision_ && p1() != kCertainlyZero;
  }
  void Push(bool decision) {
    ++next_;
    if (at_end_decision_) {
      at_end_decision_ = false;
      is_done_ = decision;
      return;
    }
    node_ = node_ << 1 | (decision ? 1u : 0u);
    if (node_ >= 256) {
      last_byte_ = static_cast<uint8_t>(node_);
      node_ = 1;
      at_end_decision_ = true;
    }
  }

 private:
  std::span<const Probability> probabilities_;
  size_t next_ = 0;
  uint32_t node_ = 1;
  bool at_end_decision_ = false;
  bool is_done_ = false;
  uint8_t last_byte_ = 0;
};

}  // namespace llma

#endif  // LLMA_PREDICT_TOKEN_WALK_H_
