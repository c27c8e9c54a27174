// SPDX-License-Identifier: Apache-2.0
// A probability that learns from the bits it predicted: by 1/n at first, as a
// frequency count does, then at a constant slow rate. Integers only.
#ifndef LLMA_CODER_ADAPTIVE_BIT_H_
#define LLMA_CODER_ADAPTIVE_BIT_H_

#include <cstdint>

#include "base/adaptive_rates.h"
#include "coder/binary_coder.h"

namespace llma {

// The last rate is 1 / (kAdaptiveBitLimit + 1.5).
inline constexpr uint32_t kAdaptiveBitLimit = 255;

// Those of the context models (cm/counters.h) learn at the same rates, but
// round their steps down.
class AdaptiveBit {
 public:
  // Of a 1, 22 bits of precision.
  Probability p1() const {
    return ClampProbability(int64_t{state_ >> kCountBits} << 2);
  }
  // Updates so far, at most kAdaptiveBitLimit.
  constexpr uint32_t count() const { return state_ & kCountMask; }

  constexpr void Update(bool bit) {
    const uint32_t n = count();
    const int64_t p = state_ >> kCountBits;
    const int64_t target = bit ? (1 << kPrecision) - 1 : 0;
    // |target - p| < 2^22 and a rate is below 2^16; p moves towards the target
    // and never past it, so it stays in [0, 2^22). The step is rounded towards
    // zero: at the last rate p stays 256 units away, about 2^-14.
    const int64_t moved = p + (target - p) * kAdaptiveRates[n] / 65536;
    state_ = static_cast<uint32_t>(moved) << kCountBits |
             (n < kAdaptiveBitLimit ? n + 1 : n);
  }

  bool operator==(const AdaptiveBit&) const = default;

 private:
  static constexpr int kPrecision = 22;
  static constexpr int kCountBits = 10;
  static constexpr uint32_t kCountMask = (1u << kCountBits) - 1;
  static_assert(kPrecision + kCountBits == 32);
  static_assert(kAdaptiveBitLimit <= kCountMask);

  uint32_t state_ = 1u << 31;  // one half, no updates
};

// Codes `bit` and learns it.
template <class Coder>
bool CodeAdaptive(Coder& coder, AdaptiveBit& model, bool bit) {
  bit = coder.Code(bit, model.p1());
  model.Update(bit);
  return bit;
}

}  // namespace llma

#endif  // LLMA_CODER_ADAPTIVE_BIT_H_
