// SPDX-License-Identifier: Apache-2.0
// Adaptive probabilities: 22-bit estimates that learn at 1/n, then at a
// constant rate (AdaptiveBit32), and the refinement of a probability given a
// context (RefinementMap, "APM" or "SSE" in the literature).
#ifndef LLMA_CM_COUNTERS_H_
#define LLMA_CM_COUNTERS_H_

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/adaptive_rates.h"
#include "cm/logistic.h"
#include "cm/zeroed_array.h"

namespace llma::cm {

// One estimate: 22 bits of P(1), then 10 bits that count its updates. kMask: as
// it is stored, against it.
template <uint32_t kMask>
class BasicAdaptiveBit32 {
 public:
  uint32_t p22() const { return value() >> 10; }
  uint32_t p12() const { return value() >> 20; }
  uint32_t count() const { return value() & 1023; }
  void Set(uint32_t p22, uint32_t count) { v_ = (p22 << 10 | count) ^ kMask; }

  // Rate 1 / (n + 3/2) until n reaches `limit` (at most 1023).
  void Update(int bit, uint32_t limit) {
    const uint32_t n = count();
    const auto p = static_cast<int32_t>(p22());
    const int32_t target = bit != 0 ? (1 << 22) - 1 : 0;
    // |target - p| < 2^22 and a rate is below 2^16, so the product is below
    // 2^38. p moves towards the target and never past it.
    const int64_t product = int64_t{target - p} * kAdaptiveRates[n];
    // Rounded down, unlike a step of AdaptiveBit (coder/adaptive_bit.h).
    const auto step = static_cast<int32_t>(product >> 16);
    Set(static_cast<uint32_t>(p + step), n < limit ? n + 1 : n);
  }

 private:
  uint32_t value() const { return v_ ^ kMask; }
  uint32_t v_ = (1u << 31) ^ kMask;
};
using AdaptiveBit32 = BasicAdaptiveBit32<0>;
// Zero bytes are one that has seen nothing, so large tables need no writing.
using ZeroedBit32 = BasicAdaptiveBit32<1u << 31>;

// Where estimates stop to count their updates, so that they follow changes:
// those of bit histories (255 gives the same sizes within 0.02 %), of runs, and
// of orders 0 and 1.
inline constexpr uint32_t kMapLimit = 1023;
inline constexpr uint32_t kRunLimit = 255;
inline constexpr uint32_t kOrderLimit = 255;
// What the initial estimates of the first two are worth, in updates.
inline constexpr uint32_t kMapPrior = 16;
inline constexpr uint32_t kRunPrior = 6;

// Refines a probability given a context: 25 estimates over the stretch domain
// (steps of 1), interpolated; the nearer of the two learns.
class RefinementMap {
 public:
  RefinementMap(uint32_t num_contexts, PageSource pages)
      : moves_(size_t{num_contexts} * kSteps, pages) {}

  // stretch_q8: [-3072, 3072]. Returns P(1) in 24 bits.
  uint32_t Refine(int stretch_q8, uint32_t context) {
    const auto offset = static_cast<uint32_t>(stretch_q8 + kMaxStretchQ8);
    const uint32_t low = offset >> 8;
    const uint32_t fraction = offset & 255;
    const uint32_t i = context * kSteps + low;
    nearest_ = fraction >= 128 ? i + 1 : i;
    nearest_start_ = kStart[fraction >= 128 ? low + 1 : low];
    // p32 >> 8: 24 bits; times 256: at most 2^32 - 256.
    const uint32_t p = (((moves_[i] + kStart[low]) >> 8) * (256 - fraction) +
                        ((moves_[i + 1] + kStart[low + 1]) >> 8) * fraction) >>
                       8;
    return p < 1 ? 1 : p;
  }
  // Learns at a rate of 2^-shift.
  void Update(int bit, int shift) {
    const uint32_t p = moves_[nearest_] + nearest_start_;
    const uint32_t moved = bit != 0 ? p + (~p >> shift) : p - (p >> shift);
    moves_[nearest_] = moved - nearest_start_;
  }

 private:
  static constexpr uint32_t kSteps = 26;  // 25 and one that is never weighed
  // What each estimate starts as, 32 bits: the identity.
  static const std::array<uint32_t, kSteps> kStart;
  // How far each has moved, modulo 2^32, so that zeros are the start.
  ZeroedArray<uint32_t> moves_;
  uint32_t nearest_ = 0;
  uint32_t nearest_start_ = 0;
};

}  // namespace llma::cm

#endif  // LLMA_CM_COUNTERS_H_
