// SPDX-License-Identifier: Apache-2.0
// The logistic domain of the context models: fixed-point stretch (log odds)
// and squash (its inverse), from tables that are computed with integers.
#ifndef LLMA_CM_LOGISTIC_H_
#define LLMA_CM_LOGISTIC_H_

#include <array>
#include <cstdint>

namespace llma::cm {

// Probabilities at the border of the layer have 24 bits, log odds inside it
// are natural logarithms with 8 fractional bits (mixer inputs, int16) or 12
// (mixer outputs).
inline constexpr int kProbBits = 24;
inline constexpr uint32_t kProbOne = uint32_t{1} << kProbBits;

// |log odds| <= 12: the cheapest bit costs 9e-6 bits, a byte 7e-5.
inline constexpr int kMaxStretchQ8 = 12 * 256;
inline constexpr int kMaxStretchQ12 = 12 * 4096;

namespace internal {
// kSquash[i] = 2^24 / (1 + exp(-(i - 3072) / 256)).
extern const std::array<uint32_t, 2 * kMaxStretchQ8 + 1> kSquash;
// kStretch12[i] = 256 ln(q / (1 - q)), q = (i + 1/2) / 4096.
extern const std::array<int16_t, 4096> kStretch12;
}  // namespace internal

// Log odds, Q8, of a probability of 12 bits. p12: [0, 4095].
inline int Stretch12(uint32_t p12) { return internal::kStretch12[p12]; }

// Probability of 24 bits in [1, 2^24 - 1] of log odds in Q12; saturates.
inline uint32_t SquashQ12(int x_q12) {
  if (x_q12 >= kMaxStretchQ12) return internal::kSquash.back();
  if (x_q12 <= -kMaxStretchQ12) return internal::kSquash.front();
  const auto offset = static_cast<uint32_t>(x_q12 + kMaxStretchQ12);
  const uint32_t i = offset >> 4;
  const uint32_t fraction = offset & 15;
  const uint32_t low = internal::kSquash[i];
  const uint32_t high = internal::kSquash[i + 1];
  return low + (((high - low) * fraction) >> 4);  // < 2^16 * 2^4
}

// The inverse of SquashQ12, exact to the table. p24: [0, 2^24].
int StretchP24(uint32_t p24);

}  // namespace llma::cm

#endif  // LLMA_CM_LOGISTIC_H_
