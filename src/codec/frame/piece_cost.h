// SPDX-License-Identifier: Apache-2.0
// What each piece of a content costs, for people who want to see it. Nothing
// here has an influence on a code.
#ifndef LLMA_CODEC_PIECE_COST_H_
#define LLMA_CODEC_PIECE_COST_H_

#include <cmath>
#include <cstdint>
#include <functional>
#include <vector>

#include "coder/binary_coder.h"
#include "predict/token_masses.h"

namespace llma {

// A token that the language model thought possible.
struct TokenAlternative {
  uint32_t token;
  double probability;
};

// A token, or a byte where no language model predicts.
struct PieceCost {
  uint64_t content_ofs;
  uint32_t size_bytes;
  double bits;        // that the code spends
  double model_bits;  // by the language model alone; negative: not asked
  std::vector<TokenAlternative> alternatives;  // the likeliest first
};

// Gets a frame's pieces in order, when it is coded. Offsets count from the
// frame's content.
using CostCallback = std::function<void(std::vector<PieceCost>)>;

// Of one frame.
struct FrameCosts {
  uint32_t max_alternatives = 0;
  std::vector<PieceCost> pieces;
  CostCallback on_new = {};  // gets pieces while others are coded, lane by lane
  size_t num_reported = 0;   // to on_new

  void ReportNew() {
    if (!on_new || num_reported == pieces.size()) return;
    on_new(
        {pieces.begin() + static_cast<ptrdiff_t>(num_reported), pieces.end()});
    num_reported = pieces.size();
  }
};

// An encoder that adds up what decisions cost.
class MeteredEncoder {
 public:
  explicit MeteredEncoder(BinaryEncoder& coder) : coder_(coder) {}
  bool Code(bool bit, Probability p1) {
    const uint32_t part = bit ? p1 : (1u << kProbBits) - p1;
    bits_ += kProbBits - std::log2(static_cast<double>(part));
    return coder_.Code(bit, p1);
  }
  double bits() const { return bits_; }

 private:
  BinaryEncoder& coder_;
  double bits_ = 0;
};

// What the language model thinks of its next token.
struct TokenCost {
  double bits = 0;  // of the token that comes
  std::vector<TokenAlternative> alternatives;
};
TokenCost CostOfToken(const TokenMasses& masses, uint32_t token,
                      uint32_t max_alternatives);

}  // namespace llma

#endif  // LLMA_CODEC_PIECE_COST_H_
