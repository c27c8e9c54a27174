// SPDX-License-Identifier: Apache-2.0
#include "importer/rope_steps.h"

#include <bit>

namespace llma {
namespace {

constexpr double kLn2 = 0x1.62e42fefa39efp-1;
constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
constexpr double kInvTwoPi = 0x1.45f306dc9c883p-3;  // 1 / (2 pi)

// 2^n for -1022 <= n <= 1023.
double PowerOfTwo(int n) {
  return std::bit_cast<double>(static_cast<uint64_t>(n + 1023) << 52);
}

}  // namespace

double ExactLog2(double x) {
  // x = m * 2^e with m in [sqrt(1/2), sqrt(2)).
  const auto bits = std::bit_cast<uint64_t>(x);
  int e = static_cast<int>(bits >> 52) - 1023;
  double m = std::bit_cast<double>((bits & ~(uint64_t{0x7ff} << 52)) |
                                   uint64_t{1023} << 52);
  if (m > kSqrt2) {
    m /= 2;
    ++e;
  }
  // ln m = 2 atanh(z) = 2 (z + z^3/3 + z^5/5 + ...), |z| <= 0.1716. The first
  // term left out is z^25/25 * 2 < 2^-67.
  const double z = (m - 1) / (m + 1);
  const double z2 = z * z;
  double sum = 0;
  for (int n = 23; n >= 1; n -= 2) sum = sum * z2 + 1.0 / n;
  return e + 2 * z * sum / kLn2;
}

double ExactExp2(double x) {
  // x = n + r with |r| <= 1/2; adding and taking away 1.5 * 2^52 rounds.
  constexpr double kRounder = 0x1.8p52;
  const double n = (x + kRounder) - kRounder;
  const double y = (x - n) * kLn2;
  // exp(y) by its series; the first term left out is 0.3466^19/19! < 2^-85.
  double sum = 1;
  for (int i = 18; i >= 1; --i) sum = 1 + sum * y / i;
  return sum * PowerOfTwo(static_cast<int>(n));
}

Result<std::vector<uint64_t>> ComputeRopeSteps(float theta, uint32_t head_dim) {
  // Written so that NaN fails. With these bounds every step is at least 2^21
  // and at most 2^62, and every exponent is within the range of ExactExp2.
  if (!(theta >= 1 && theta <= 1e12f)) {
    return Error{ErrorCode::kUnsupported, "RoPE base is not from 1 to 1e12"};
  }
  // Errors: log2(theta) <= 40 is wrong by at most 2^-46, times ln 2 < 2^-46
  // relative after ExactExp2, which adds 2^-50; together below 2^-45 < 1e-13.
  const double log2_theta = ExactLog2(theta);
  std::vector<uint64_t> steps;
  for (uint32_t i = 0; i < head_dim / 2; ++i) {
    const double turns =
        ExactExp2(-(2.0 * i / head_dim) * log2_theta) * kInvTwoPi;
    const double scaled = turns * 0x1p64;
    // From 2^52 on doubles are integers; below, adding a half rounds.
    steps.push_back(
        static_cast<uint64_t>(scaled < 0x1p52 ? scaled + 0.5 : scaled));
  }
  return steps;
}

}  // namespace llma
