// SPDX-License-Identifier: Apache-2.0
#include "predict/token_walk.h"

#include <algorithm>
#include <bit>

namespace llma {

TokenIndex::TokenIndex(const TokenTable& tokens) : tokens_(tokens) {
  uint32_t token = 0;
  for (uint32_t byte = 0; byte <= 256; ++byte) {
    while (token < tokens.num_tokens() && tokens.spelling(token)[0] < byte)
      ++token;
    first_token_[byte] = token;
  }
}

uint32_t TokenIndex::LowerBound(uint32_t begin, uint32_t end, uint32_t depth,
                                uint32_t byte) const {
  if (depth == 0) return FirstToken(byte);
  while (begin < end) {
    const uint32_t middle = begin + (end - begin) / 2;
    if (tokens_.spelling(middle)[depth] < byte) {
      begin = middle + 1;
    } else {
      end = middle;
    }
  }
  return begin;
}

Probability MassQuotient(uint64_t part, uint64_t whole) {
  if (part == 0) return kCertainlyZero;
  if (part == whole) return kCertainlyOne;
  // part < whole < 2^51; bring whole below 2^40 so that the product fits.
  const int shift = std::max(0, static_cast<int>(std::bit_width(whole)) - 40);
  return ClampProbability(
      static_cast<int64_t>(((part >> shift) << kProbBits) / (whole >> shift)));
}

TokenWalk::TokenWalk(const TokenIndex& index, const TokenMasses& masses)
    : index_(index),
      masses_(masses),
      end_(masses.num_tokens()),
      mass_(masses.Mass(0, masses.num_tokens())) {
  PrepareBit();
}

void TokenWalk::Push(bool decision) {
  if (at_end_decision_) {
    if (decision) {
      is_done_ = true;
      return;
    }
    // The token that ends here, if there is one, is the first of the range.
    if (p1_ != kCertainlyZero) {
      ++begin_;
      mass_ -= mass_one_;
    }
    at_end_decision_ = false;
    PrepareBit();
    return;
  }
  if (decision) {
    begin_ = middle_;
    mass_ = mass_one_;
  } else {
    end_ = middle_;
    mass_ -= mass_one_;
  }
  node_ = node_ << 1 | (decision ? 1u : 0u);
  if (node_ < 256) {
    PrepareBit();
  } else {
    last_byte_ = static_cast<uint8_t>(node_);
    node_ = 1;
    ++depth_;
    PrepareEnd();
  }
}

void TokenWalk::PrepareBit() {
  // The smallest byte on the 1 side: the bits so far, a 1, then zeros.
  const int left = bit_idx();  // bits after this one
  const uint32_t boundary = ((node_ << 1 | 1u) << left) & 0xff;
  middle_ = index_.LowerBound(begin_, end_, depth_, boundary);
  mass_one_ = middle_ == end_     ? 0
              : middle_ == begin_ ? mass_
                                  : masses_.Mass(middle_, end_);
  p1_ = MassQuotient(mass_one_, mass_);
}

void TokenWalk::PrepareEnd() {
  at_end_decision_ = true;
  const bool has_exact = index_.tokens().spelling(begin_).size() == depth_;
  mass_one_ = has_exact ? masses_.weight(begin_) : 0;
  p1_ = MassQuotient(mass_one_, mass_);
}

void RecordWalk(const TokenIndex& index, const TokenMasses& masses,
                uint32_t token, std::vector<Probability>& probabilities) {
  const Bytes bytes = index.tokens().spelling(token);
  TokenWalk walk(index, masses);
  for (size_t depth = 0; !walk.is_done();) {
    probabilities.push_back(walk.p1());
    if (walk.at_end_decision()) {
      walk.Push(++depth == bytes.size());
    } else {
      walk.Push((bytes[depth] >> walk.bit_idx() & 1) != 0);
    }
  }
}

std::vector<DecisionRange> DecisionsOf(const TokenIndex& index,
                                       uint32_t token) {
  const Bytes bytes = index.tokens().spelling(token);
  std::vector<DecisionRange> decisions;
  uint32_t begin = 0, end = index.tokens().num_tokens();
  for (uint32_t depth = 0; depth < bytes.size();) {
    for (uint32_t left = 8; left-- > 0;) {
      const uint32_t boundary = (bytes[depth] >> left | 1u) << left;
      const uint32_t middle = index.LowerBound(begin, end, depth, boundary);
      decisions.push_back({middle, end, begin, end});
      ((bytes[depth] >> left & 1) != 0 ? begin : end) = middle;
    }
    ++depth;
    const bool has_exact = index.tokens().spelling(begin).size() == depth;
    decisions.push_back({begin, begin + has_exact, begin, end});
    if (has_exact && depth < bytes.size()) ++begin;
  }
  return decisions;
}

}  // namespace llma
