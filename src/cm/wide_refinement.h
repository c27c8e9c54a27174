// SPDX-License-Identifier: Apache-2.0
// RefinementMap (counters.h) over the wide stretch domain: a probability given
// a context, by interpolation between estimates that stand 1 apart.
#ifndef LLMA_CM_WIDE_REFINEMENT_H_
#define LLMA_CM_WIDE_REFINEMENT_H_

#include <cstddef>
#include <cstdint>

#include "cm/wide_logistic.h"
#include "cm/zeroed_array.h"

namespace llma::cm {

class WideRefinementMap {
 public:
  WideRefinementMap(uint32_t num_contexts, PageSource pages)
      : moves_(size_t{num_contexts} * kSteps, pages) {}

  // stretch_q16: within kMaxStretchQ16. Returns P(1), 24 bits; it may be 0.
  uint32_t Refine(int32_t stretch_q16, uint32_t context) {
    const auto offset = static_cast<uint32_t>(stretch_q16 + kMaxStretchQ16);
    const uint32_t low = offset >> 16;
    const uint32_t fraction = offset & 0xffff;
    const size_t i = size_t{context} * kSteps + low;
    const bool upper = fraction >= 0x8000;
    nearest_ = upper ? i + 1 : i;
    nearest_start_ = Start(upper ? low + 1 : low);
    // Q32 times Q16, less 24 bits.
    return static_cast<uint32_t>(
        (uint64_t{moves_[i] + Start(low)} * (0x10000 - fraction) +
         uint64_t{moves_[i + 1] + Start(low + 1)} * fraction) >>
        24);
  }
  // Learns at a rate of 2^-6; the nearer of the two estimates does.
  void Update(int bit) {
    const uint32_t p = moves_[nearest_] + nearest_start_;
    const uint32_t moved = bit != 0 ? p + (~p >> 6) : p - (p >> 6);
    moves_[nearest_] = moved - nearest_start_;
  }

 private:
  static constexpr uint32_t kSteps = 36;  // -17 .. 17 and one never weighed
  // What an estimate starts as, 32 bits: the identity.
  static uint32_t Start(uint32_t step) {
    return SquashQ16((static_cast<int32_t>(step) << 16) - kMaxStretchQ16) << 8;
  }
  // How far each has moved, modulo 2^32, so that zeros are the start.
  ZeroedArray<uint32_t> moves_;
  size_t nearest_ = 0;
  uint32_t nearest_start_ = 0;
};

}  // namespace llma::cm

#endif  // LLMA_CM_WIDE_REFINEMENT_H_
