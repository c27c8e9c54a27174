// SPDX-License-Identifier: Apache-2.0
// Gated logistic mixing: every weight set picks one row of weights by its own
// context, gives its own mixed prediction and learns from its own error; a
// second, small mixer joins their outputs.
#ifndef LLMA_CM_MIXER_H_
#define LLMA_CM_MIXER_H_

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <vector>

#include "cm/logistic.h"
#include "cm/zeroed_array.h"
#include "kernels/kernel_table.h"

namespace llma::cm {

// How fast weights move: a row's rate falls from `first` to `last` (both
// Q16: 65536 is 1) as 1/n with its number of uses.
struct LearningRate {
  uint32_t first_q16;
  uint32_t last_q16;
};

// One layer of weight sets over shared inputs. Thread-compatible.
class MixerLayer {
 public:
  // set_sizes: the number of contexts of each set. A row starts, when it is
  // first used, as a copy of the row that the first set has selected, so the
  // first set should have few contexts; that one's rows start from
  // initial_weight (Q28).
  MixerLayer(int num_inputs, std::span<const uint32_t> set_sizes,
             int32_t initial_weight, LearningRate rate,
             const KernelTable& kernels, PageSource pages);

  int num_inputs() const { return static_cast<int>(num_inputs_); }
  int num_sets() const { return static_cast<int>(sets_.size()); }

  // The inputs of the next prediction, Q8, |x| <= 3072: fill all of them.
  std::span<int16_t> inputs() { return {inputs_.data(), num_inputs_}; }

  // Chooses the row of a set. context: below its size.
  void Select(int set, uint32_t context) {
    WeightSet& s = sets_[static_cast<size_t>(set)];
    s.row = s.first_row + context;
  }

  // Mixes in every set. Returns the predictions as log odds, Q12, clamped to
  // the domain.
  std::span<const int32_t> Mix();
  // Teaches all sets the bit they predicted.
  void Update(int bit);

 private:
  struct WeightSet {
    uint32_t first_row;  // in weights_ and uses_
    uint32_t row;        // selected
    uint32_t p24;        // predicted
  };

  void StartRow(size_t set);

  size_t num_inputs_;
  size_t stride_;  // num_inputs_ rounded up to whole blocks
  const KernelTable& kernels_;
  std::vector<WeightSet> sets_;
  std::vector<int32_t*> rows_;      // [sets], as selected when mixed
  std::vector<int32_t> mixed_q12_;  // [sets]
  std::vector<int32_t> errors_;     // [sets]
  std::vector<int16_t> inputs_;     // [stride_]
  std::vector<int32_t> initial_;    // [stride_]
  std::vector<uint32_t> rates_;     // [uses], up to the last one
  std::vector<uint16_t> uses_;      // [rows], at most the last of rates_
  ZeroedArray<int32_t> weights_;    // [rows, stride_]
};

}  // namespace llma::cm

#endif  // LLMA_CM_MIXER_H_
