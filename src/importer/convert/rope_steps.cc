// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/rope_steps.h"

#include <algorithm>
#include <bit>
#include <string>

namespace llma {
namespace {

constexpr double kLn2 = 0x1.62e42fefa39efp-1;
constexpr double kSqrt2 = 0x1.6a09e667f3bcdp+0;
constexpr double kInvTwoPi = 0x1.45f306dc9c883p-3;  // 1 / (2 pi)

// 2^n for -1022 <= n <= 1023.
double PowerOfTwo(int n) {
  return std::bit_cast<double>(static_cast<uint64_t>(n + 1023) << 52);
}

Error BadRope(const char* what) {
  return Error{ErrorCode::kUnsupported,
               std::string("RoPE ") + what + " is out of bounds"};
}

// Written so that NaN fails.
bool IsWithin(float value, float min, float max) {
  return value >= min && value <= max;
}

Status CheckScaling(const RopeSpec& rope, uint32_t head_dim) {
  if (!rope.pair_divisors.empty()) {
    LLMA_ENSURE(rope.pair_divisors.size() == head_dim / 2);
    for (const float divisor : rope.pair_divisors) {
      if (!IsWithin(divisor, 1, 1024)) return BadRope("factor of a pair");
    }
  }
  if (!IsWithin(rope.attention_factor, 0x1p-4f, 0x1p+4f)) {
    return BadRope("attention factor");
  }
  if (rope.scaling == RopeScaling::kNone) return OkStatus();
  if (!IsWithin(rope.factor, 1, 1024)) return BadRope("scaling factor");
  if (rope.scaling == RopeScaling::kLinear) return OkStatus();
  if (!IsWithin(rope.original_positions, 1, 0x1p30f)) {
    return BadRope("scaling: number of original positions");
  }
  const bool is_yarn = rope.scaling == RopeScaling::kYarn;
  const float low = is_yarn ? rope.slow_beta : rope.low_frequency;
  const float high = is_yarn ? rope.fast_beta : rope.high_frequency;
  if (!IsWithin(low, 0x1p-10f, 0x1p+10f) || !IsWithin(high, low, 0x1p+10f) ||
      high == low) {
    return BadRope("scaling: range of frequencies");
  }
  return OkStatus();
}

double Clamp01(double x) { return x < 0 ? 0 : x > 1 ? 1 : x; }

// YaRN's limits are pairs, not frequencies: the pair whose wave fits `times`
// into the original positions, not rounded.
double PairOfFrequency(const RopeSpec& rope, uint32_t head_dim, double times) {
  const double log2_base = ExactLog2(rope.base);
  if (log2_base == 0) return 0;
  return head_dim * ExactLog2(rope.original_positions * kInvTwoPi / times) /
         (2 * log2_base);
}

// For |x| < 2^31.
double Floor(double x) {
  const double whole = static_cast<int32_t>(x);
  return whole > x ? whole - 1 : whole;
}

// How much of an angle is left, from 1 / factor to 1.
double AngleScale(const RopeSpec& rope, uint32_t head_dim, uint32_t pair,
                  double turns) {
  if (rope.scaling == RopeScaling::kNone) return 1;
  const double stretched = 1.0 / rope.factor;
  if (rope.scaling == RopeScaling::kLinear) return stretched;
  double kept = 0;  // the part that is not stretched
  if (rope.scaling == RopeScaling::kLlama3) {
    const double times = rope.original_positions * turns;
    kept = Clamp01((times - rope.low_frequency) /
                   (double{rope.high_frequency} - rope.low_frequency));
  } else {
    const double last = head_dim - 1;
    const double low = std::max<double>(
        0, Floor(PairOfFrequency(rope, head_dim, rope.fast_beta)));
    const double high = std::min<double>(
        last, -Floor(-PairOfFrequency(rope, head_dim, rope.slow_beta)));
    kept = 1 - Clamp01((pair - low) / std::max(0.001, high - low));
  }
  return stretched * (1 - kept) + kept;
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
  constexpr double kDoubleRounder = 0x1.8p52;
  const double n = (x + kDoubleRounder) - kDoubleRounder;
  const double y = (x - n) * kLn2;
  // exp(y) by its series; the first term left out is 0.3466^19/19! < 2^-85.
  double sum = 1;
  for (int i = 18; i >= 1; --i) sum = 1 + sum * y / i;
  return sum * PowerOfTwo(static_cast<int>(n));
}

Result<std::vector<uint64_t>> ComputeRopeSteps(const RopeSpec& rope,
                                               uint32_t head_dim) {
  // Written so that NaN fails. With these bounds every step is at least 2^1
  // and at most 2^62, and every exponent is within the range of ExactExp2.
  if (!(rope.base >= 1 && rope.base <= 1e12f)) return BadRope("base");
  LLMA_TRY(CheckScaling(rope, head_dim));
  // Errors: log2(base) <= 40 is wrong by at most 2^-46, times ln 2 < 2^-46
  // relative after ExactExp2, which adds 2^-50; together below 2^-45 < 1e-13.
  const double log2_base = ExactLog2(rope.base);
  std::vector<uint64_t> steps;
  for (uint32_t i = 0; i < head_dim / 2; ++i) {
    double turns = ExactExp2(-(2.0 * i / head_dim) * log2_base) * kInvTwoPi;
    turns *= AngleScale(rope, head_dim, i, turns);
    if (!rope.pair_divisors.empty()) turns /= rope.pair_divisors[i];
    const double scaled = turns * 0x1p64;
    // From 2^52 on doubles are integers; below, adding a half rounds.
    steps.push_back(
        static_cast<uint64_t>(scaled < 0x1p52 ? scaled + 0.5 : scaled));
  }
  return steps;
}

double RopeMagnitude(const RopeSpec& rope) {
  if (rope.scaling != RopeScaling::kYarn) return rope.attention_factor;
  return rope.attention_factor * (1 + 0.1 * kLn2 * ExactLog2(rope.factor));
}

}  // namespace llma
