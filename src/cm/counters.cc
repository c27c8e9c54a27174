// SPDX-License-Identifier: Apache-2.0
#include "cm/counters.h"

namespace llma::cm {

RefinementMap::RefinementMap(uint32_t num_contexts)
    : cells_(size_t{num_contexts} * kSteps) {
  for (size_t i = 0; i < cells_.size(); ++i) {
    const int x_q12 = static_cast<int>(i % kSteps) * 4096 - kMaxStretchQ12;
    cells_[i] = SquashQ12(x_q12) << 8;
  }
}

}  // namespace llma::cm
