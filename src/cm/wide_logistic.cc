// SPDX-License-Identifier: Apache-2.0
#include "cm/wide_logistic.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>

namespace llma::cm {
namespace {

constexpr uint32_t kSteps = 1024;         // of the mantissa
constexpr uint64_t kLn2Q32 = 2977044472;  // 2^32 ln 2

// ln(1 + i / kSteps) in Q32, by ln(x) - ln(y) = 2 artanh((x - y) / (x + y)).
constexpr auto MakeLog() {
  std::array<uint64_t, kSteps + 1> table{};
  for (uint32_t i = 0; i < kSteps; ++i) {
    const uint64_t t = (uint64_t{1} << 32) / (2 * (kSteps + i) + 1);
    // 2 (t + t^3 / 3): t <= 2^-11, so t^5 is below 2^-55.
    const uint64_t cube = ((t * t >> 32) * t) >> 32;
    table[i + 1] = table[i] + 2 * (t + cube / 3);
  }
  return table;
}
constexpr auto kLog = MakeLog();

// ln(p / 2^24) + 24 ln 2, Q16. p: [1, 2^24].
constexpr int32_t LogQ16(uint32_t p) {
  const int exponent = static_cast<int>(std::bit_width(p)) - 1;
  // The mantissa in [2^24, 2^25): 10 bits choose the step, 14 are the rest.
  const uint32_t mantissa = p << (24 - exponent);
  const uint32_t i = mantissa >> 14 & (kSteps - 1);
  const uint64_t rest = mantissa & ((1u << 14) - 1);
  const uint64_t log = kLog[i] + ((kLog[i + 1] - kLog[i]) * rest >> 14) +
                       static_cast<uint64_t>(exponent) * kLn2Q32;
  return static_cast<int32_t>((log + (1u << 15)) >> 16);
}

// exp(-1/256) in Q32; see logistic.cc.
constexpr uint64_t kExpStepQ32 = 4278222805;

constexpr size_t kSquashSteps = 17 * 256;
// [i] = 2^32 / (1 + exp(i / 256)): the smaller half of the curve.
constexpr auto MakeSmallHalf() {
  std::array<uint32_t, kSquashSteps + 2> table{};
  uint64_t exp_q31 = uint64_t{1} << 31;
  for (size_t i = 0; i < table.size(); ++i) {
    // 2^32 e / (1 + e), e in Q31.
    table[i] = static_cast<uint32_t>((exp_q31 << 32) /
                                     ((uint64_t{1} << 31) + exp_q31));
    exp_q31 = (exp_q31 * kExpStepQ32 + (uint64_t{1} << 31)) >> 32;
  }
  return table;
}
constexpr auto kSmallHalf = MakeSmallHalf();

}  // namespace

int32_t StretchQ16(uint32_t p24) {
  return LogQ16(p24) - LogQ16(kProbOne - p24);
}

uint32_t SquashQ16(int64_t x_q16) {
  const auto size = static_cast<uint32_t>(
      std::min<int64_t>(x_q16 < 0 ? -x_q16 : x_q16, kMaxStretchQ16));
  const uint32_t i = size >> 8;
  const uint32_t step = kSmallHalf[i] - kSmallHalf[i + 1];
  // step < 2^23, so the product stays below 2^31.
  const uint32_t p32 = kSmallHalf[i] - ((step * (size & 255)) >> 8);
  const uint32_t small = std::max<uint32_t>((p32 + 128) >> 8, 1);
  return x_q16 < 0 ? small : kProbOne - small;
}

}  // namespace llma::cm
