// SPDX-License-Identifier: Apache-2.0
// At which rate an adaptive probability learns from its n-th bit.
#ifndef LLMA_BASE_ADAPTIVE_RATES_H_
#define LLMA_BASE_ADAPTIVE_RATES_H_

#include <array>
#include <cstdint>

namespace llma {

// kAdaptiveRates[n] = floor(2^16 / (n + 3/2)): the n-th step of an estimate
// that starts as half a bit of each kind.
inline constexpr auto kAdaptiveRates = [] {
  std::array<uint32_t, 1024> rates{};
  for (uint32_t n = 0; n < 1024; ++n) rates[n] = (2u << 16) / (2 * n + 3);
  return rates;
}();

}  // namespace llma

#endif  // LLMA_BASE_ADAPTIVE_RATES_H_
