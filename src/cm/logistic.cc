// SPDX-License-Identifier: Apache-2.0
#include "cm/logistic.h"

#include <cstddef>

namespace llma::cm {
namespace {

// exp(-1/256) in Q32: the alternating series sum (-1)^k / (k! 256^k), whose
// sixth term is below 2^-57.
constexpr uint64_t ExpStepQ32() {
  uint64_t term = uint64_t{1} << 56;
  uint64_t plus = 0;
  uint64_t minus = 0;
  for (uint64_t k = 1; k <= 7; ++k) {
    ((k & 1) != 0 ? plus : minus) += term;
    term /= 256 * k;
  }
  return (plus - minus) >> 24;
}

constexpr auto MakeSquash() {
  std::array<uint32_t, 2 * kMaxStretchQ8 + 1> table{};
  // exp in Q31: 2^31 * 2^32 < 2^64.
  uint64_t exp_q31 = uint64_t{1} << 31;
  for (int i = 0; i <= kMaxStretchQ8; ++i) {
    // p = 1 / (1 + e^-x), rounded; its mirror image is one minus it.
    const uint64_t denominator = (uint64_t{1} << 31) + exp_q31;
    const uint64_t p =
        ((uint64_t{1} << (31 + kProbBits)) + denominator / 2) / denominator;
    table[static_cast<size_t>(kMaxStretchQ8 + i)] = static_cast<uint32_t>(p);
    table[static_cast<size_t>(kMaxStretchQ8 - i)] =
        static_cast<uint32_t>(kProbOne - p);
    exp_q31 = (exp_q31 * ExpStepQ32() + (uint64_t{1} << 31)) >> 32;
  }
  return table;
}

constexpr auto kSquashTable = MakeSquash();
static_assert(kSquashTable.front() >= 1);
static_assert(kSquashTable.back() < kProbOne);

constexpr auto MakeStretch12() {
  std::array<int16_t, 4096> table{};
  size_t i = 0;
  for (uint32_t p = 0; p < 4096; ++p) {
    const uint32_t target = (p << 12) + (1 << 11);
    while (kSquashTable[i] < target) ++i;  // the last entry is above any
    // The nearer of the two neighbours.
    const bool below =
        i > 0 && target - kSquashTable[i - 1] < kSquashTable[i] - target;
    table[p] = static_cast<int16_t>(static_cast<int>(i) - (below ? 1 : 0) -
                                    kMaxStretchQ8);
  }
  return table;
}

}  // namespace

namespace internal {
constinit const std::array<uint32_t, 2 * kMaxStretchQ8 + 1> kSquash =
    kSquashTable;
constinit const std::array<int16_t, 4096> kStretch12 = MakeStretch12();
}  // namespace internal

int StretchP24(uint32_t p24) {
  const auto& table = internal::kSquash;
  if (p24 <= table.front()) return -kMaxStretchQ12;
  if (p24 >= table.back()) return kMaxStretchQ12;
  // Invariant: table[low] <= p24 < table[high], so the step below is not 0.
  uint32_t low = 0;
  uint32_t high = 2 * kMaxStretchQ8;
  while (high - low > 1) {
    const uint32_t middle = (low + high) / 2;
    (table[middle] <= p24 ? low : high) = middle;
  }
  const uint32_t step = table[low + 1] - table[low];
  const uint32_t fraction = ((p24 - table[low]) * 16 + step / 2) / step;
  return static_cast<int>(low * 16 + fraction) - kMaxStretchQ12;
}

}  // namespace llma::cm
