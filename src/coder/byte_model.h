// SPDX-License-Identifier: Apache-2.0
// Codes single bytes given the byte before: what no token spells. Eight binary
// decisions a byte, most significant bit first, each with the mean of an
// order-0 and an order-1 estimate, weighted by which of the two did better
// when order 1 was as experienced as now. Integers only. Not a text model.
#ifndef LLMA_CODER_BYTE_MODEL_H_
#define LLMA_CODER_BYTE_MODEL_H_

#include <array>
#include <bit>
#include <cstdint>
#include <vector>

#include "coder/adaptive_bit.h"
#include "coder/binary_coder.h"

namespace llma {

// kRunStates[bit][n]: an AdaptiveBit that has seen n bits, all equal to `bit`.
inline constexpr auto kRunStates = [] {
  std::array<std::array<AdaptiveBit, kAdaptiveBitLimit>, 2> states;
  for (const bool bit : {false, true}) {
    AdaptiveBit model;
    for (AdaptiveBit& state : states[bit]) {
      state = model;
      model.Update(bit);
    }
  }
  return states;
}();

// 260 KB. Copyable. Thread-compatible.
class ByteModel {
 public:
  ByteModel() : order1_(256 * 256) { weights_.fill(1u << 15); }

  // Codes `byte` (ignored by a decoder) after `previous` and learns it.
  template <class Coder>
  uint8_t Code(Coder& coder, uint8_t byte, uint8_t previous) {
    // The bits so far behind a leading 1: a node of a binary tree in
    // [1, 255].
    uint32_t node = 1;
    for (int i = 7; i >= 0; --i) {
      const bool bit = CodeBit(coder, (byte >> i & 1) != 0, order0_[node],
                               order1_[previous * 256u + node]);
      node = node << 1 | (bit ? 1u : 0u);
    }
    return static_cast<uint8_t>(node);
  }

 private:
  template <class Coder>
  bool CodeBit(Coder& coder, bool bit, AdaptiveBit& order0,
               AdaptiveBit& order1) {
    // Where order 1 has seen only one of the bits, all such places together
    // tell how likely it is that it goes on: saves 4 % where each byte has four
    // successors, and half of what noise loses.
    const uint32_t count = order1.count();
    const bool likely = order1.p1() >= 1u << (kProbBits - 1);
    const bool is_run = count > 0 && count < kAdaptiveBitLimit &&
                        order1 == kRunStates[likely][count];
    AdaptiveBit& run = runs_[count];
    const int64_t p0 = order0.p1();
    const int64_t p1 = !is_run  ? order1.p1()
                       : likely ? run.p1()
                                : (1 << kProbBits) - run.p1();
    // weight: of p1, in units of 2^-16, in [0, 2^16). |p1 - p0| < 2^24.
    uint32_t& weight = weights_[WeightIdx(count)];
    bit = coder.Code(bit, ClampProbability(p0 + (((p1 - p0) * weight) >> 16)));
    // One step towards the estimate that gave more to the bit.
    const bool order1_better = bit ? p1 > p0 : p1 < p0;
    if (order1_better) {
      weight += (65535 - weight) >> kWeightRate;
    } else {
      weight -= weight >> kWeightRate;
    }
    if (is_run) run.Update(bit == likely);
    order0.Update(bit);
    order1.Update(bit);
    return bit;
  }

  // Counts 0, 1, 2, 3, 4.., 8.., and so on: [0, 9].
  static size_t WeightIdx(uint32_t count) {
    return count < 4 ? count : static_cast<size_t>(std::bit_width(count)) + 1;
  }

  static constexpr int kWeightRate = 7;
  static constexpr size_t kNumWeights = 10;
  static_assert(std::bit_width(kAdaptiveBitLimit) + 1 < kNumWeights);

  std::array<AdaptiveBit, 256> order0_;  // [node]
  std::vector<AdaptiveBit> order1_;      // [previous, node]
  // Of "the run goes on", by its length.
  std::array<AdaptiveBit, kAdaptiveBitLimit + 1> runs_;
  std::array<uint32_t, kNumWeights> weights_;
};

}  // namespace llma

#endif  // LLMA_CODER_BYTE_MODEL_H_
