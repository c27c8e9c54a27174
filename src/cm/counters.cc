// SPDX-License-Identifier: Apache-2.0
#include "cm/counters.h"

namespace llma::cm {

const std::array<uint32_t, RefinementMap::kSteps> RefinementMap::kStart = [] {
  std::array<uint32_t, kSteps> start{};
  for (uint32_t i = 0; i < kSteps; ++i) {
    start[i] = SquashQ12(static_cast<int>(i) * 4096 - kMaxStretchQ12) << 8;
  }
  return start;
}();

}  // namespace llma::cm
