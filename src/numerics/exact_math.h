// SPDX-License-Identifier: Apache-2.0
// Elementary functions built from single IEEE binary32 operations and integer
// arithmetic only, so that every machine gets the same bits. These are the
// definitions of docs/NUMERICS.md, section 3.
#ifndef LLMA_NUMERICS_EXACT_MATH_H_
#define LLMA_NUMERICS_EXACT_MATH_H_

#include <bit>
#include <cstdint>

namespace llma {

// log2(e), to turn natural exponents into powers of two.
inline constexpr float kLog2E = 0x1.715476p+0f;
// ln(2), for derivatives of powers of two.
inline constexpr float kLn2 = 0x1.62e43p-1f;

// Adding and subtracting 1.5 * 2^23 rounds |x| < 2^22 to the nearest integer,
// ties to even. = cvtps2dq, fcvtns.
inline constexpr float kRoundMagic = 0x1.8p+23f;
inline float RoundToEven(float x) { return (x + kRoundMagic) - kRoundMagic; }

// 2^t for t <= 0; 0 for t < -126. Exactly 1 for t = 0. Relative error below
// 3.0e-6: the minimax polynomial of degree 4 for 2^f on [-1/2, 1/2] with
// constant term 1 (2.84e-6) and its rounding. exact_math_test recomputes the
// bound.
inline constexpr float kExp2Coefficients[4] = {0x1.62e12cp-1f, 0x1.ec0378p-3f,
                                               0x1.c9fc4p-5f, 0x1.3a02a8p-7f};
inline constexpr float kExp2Lowest = -126.0f;
inline float Exp2NonPositive(float t) {
  if (t < kExp2Lowest) return 0.0f;
  const float n = RoundToEven(t);
  const float f = t - n;  // exact, |f| <= 1/2
  float p = kExp2Coefficients[3];
  p = p * f + kExp2Coefficients[2];
  p = p * f + kExp2Coefficients[1];
  p = p * f + kExp2Coefficients[0];
  p = p * f + 1.0f;
  // p lies in [0.70, 1.42], so p * 2^n is normal or, at n = -126 and p < 1,
  // flushed by the rule below.
  const int32_t bits =
      std::bit_cast<int32_t>(p) + static_cast<int32_t>(n) * (int32_t{1} << 23);
  return bits < (int32_t{1} << 23) ? 0.0f : std::bit_cast<float>(bits);
}

// sin and cos of `phase` turns (units of 2^-64), in units of 2^-30. Error below
// 4 units. Phases wrap, so positions may grow without end.
struct SinCos {
  int32_t sin_q30;
  int32_t cos_q30;
};
SinCos SinCosOfTurns(uint64_t phase);

}  // namespace llma

#endif  // LLMA_NUMERICS_EXACT_MATH_H_
