// SPDX-License-Identifier: Apache-2.0
#include "numerics/exact_math.h"

namespace llma {
namespace {

constexpr int64_t kOneQ30 = int64_t{1} << 30;

// round((pi/2)^(2k+1) / (2k+1)! * 2^30), the Taylor series of sin(pi/2 z); the
// first term left out is below 7e-10 at z = 1.
constexpr int64_t kSineSeries[7] = {1686629713, 693598668, 85569306, 5026995,
                                    172272,     3864,      61};

// sin(pi/2 z) for z in [0, 1], all in Q30. Every product is below 2^62.
int32_t SineOfQuarterTurn(int64_t z) {
  const int64_t z2 = (z * z) >> 30;
  int64_t sum = 0;
  for (int k = 6; k >= 0; --k) sum = kSineSeries[k] - ((sum * z2) >> 30);
  const int64_t s = (sum * z + (kOneQ30 >> 1)) >> 30;
  return static_cast<int32_t>(s < kOneQ30 ? s : kOneQ30);
}

}  // namespace

SinCos SinCosOfTurns(uint64_t phase) {
  const auto turns = static_cast<uint32_t>(phase >> 32);
  const int64_t z = turns & (kOneQ30 - 1);
  const int32_t s = SineOfQuarterTurn(z);
  const int32_t c = SineOfQuarterTurn(kOneQ30 - z);
  switch (turns >> 30) {
    case 0:
      return {s, c};
    case 1:
      return {c, -s};
    case 2:
      return {-s, -c};
    default:
      return {-c, s};
  }
}

}  // namespace llma
