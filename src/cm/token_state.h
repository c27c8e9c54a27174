// SPDX-License-Identifier: Apache-2.0
// What one lane knows of its tokens, for contexts that end where tokens do.
#ifndef LLMA_CM_TOKEN_STATE_H_
#define LLMA_CM_TOKEN_STATE_H_

#include <algorithm>
#include <array>
#include <cstdint>

#include "cm/hashing.h"

namespace llma::cm {

struct TokenState {
  uint32_t prefix = 0;                  // hash of the unfinished token
  uint32_t depth = 0;                   // its bytes so far
  std::array<uint32_t, 2> tokens = {};  // hashes of those before it
  // How wrong the language model and the context models lately were: decaying
  // means over bits of the probability that went elsewhere, 24 bits.
  uint32_t lm_error = 0;
  uint32_t cm_error = 0;

  void Append(uint8_t byte) {
    prefix = Combine(prefix, byte + 1u);
    ++depth;
  }
  void End() {
    tokens[1] = tokens[0];
    tokens[0] = prefix;
    prefix = depth = 0;
  }
};

// How sure log odds are, without their sign: [0, kNumConfidences).
inline constexpr uint32_t kNumConfidences = 12;
inline uint32_t Confidence(int32_t stretch_q16) {
  // In quarters: 1/4, 1/2, 1, 3/2, 2, 3, 4, 5, 6, 8, 10.
  static constexpr std::array<int32_t, kNumConfidences - 1> kBounds = {
      1, 2, 4, 6, 8, 12, 16, 20, 24, 32, 40};
  const int32_t quarters = (stretch_q16 < 0 ? -stretch_q16 : stretch_q16) >> 14;
  return static_cast<uint32_t>(
      std::upper_bound(kBounds.begin(), kBounds.end(), quarters) -
      kBounds.begin());
}

}  // namespace llma::cm

#endif  // LLMA_CM_TOKEN_STATE_H_
