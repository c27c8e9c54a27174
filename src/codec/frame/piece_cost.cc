// SPDX-License-Identifier: Apache-2.0
#include "codec/frame/piece_cost.h"

#include <algorithm>

namespace llma {

TokenCost CostOfToken(const TokenMasses& masses, uint32_t token,
                      uint32_t max_alternatives) {
  const auto total = static_cast<double>(masses.Mass(0, masses.num_tokens()));
  TokenCost cost;
  cost.bits = -std::log2(masses.weight(token) / total);
  // Of equal ones, the first token is the likelier.
  const auto is_likelier = [&](uint32_t a, uint32_t b) {
    return masses.weight(a) != masses.weight(b)
               ? masses.weight(a) > masses.weight(b)
               : a < b;
  };
  std::vector<uint32_t> best;  // a heap, the least likely one in front
  for (uint32_t i = 0; i < masses.num_tokens() && max_alternatives > 0; ++i) {
    if (best.size() == max_alternatives) {
      if (!is_likelier(i, best.front())) continue;
      std::pop_heap(best.begin(), best.end(), is_likelier);
      best.pop_back();
    }
    best.push_back(i);
    std::push_heap(best.begin(), best.end(), is_likelier);
  }
  std::sort_heap(best.begin(), best.end(), is_likelier);
  for (const uint32_t i : best) {
    cost.alternatives.push_back({i, masses.weight(i) / total});
  }
  return cost;
}

}  // namespace llma
