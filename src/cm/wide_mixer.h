// SPDX-License-Identifier: Apache-2.0
// A small logistic mixer for inputs of full range and precision: a few dozen
// inputs, several weight sets, whose outputs may be averaged or mixed again.
// Not for hundreds of inputs: mixer.h is faster.
#ifndef LLMA_CM_WIDE_MIXER_H_
#define LLMA_CM_WIDE_MIXER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "cm/mixer.h"
#include "kernels/kernel_table.h"

namespace llma::cm {

// Thread-compatible.
class WideMixer {
 public:
  // set_sizes: the number of contexts of each weight set. start: the weights
  // of the inputs at first, Q24. A row of another set than the first starts,
  // when it is first used, as a copy of the row that the first set has
  // selected, so that a rare context knows what the common ones do.
  WideMixer(std::span<const uint32_t> set_sizes, std::span<const int32_t> start,
            LearningRate rate, const KernelTable& kernels);

  // The inputs of the next prediction: log odds, Q16, within kMaxStretchQ16.
  std::span<int32_t> inputs() { return {inputs_.data(), num_inputs_}; }
  size_t num_sets() const { return sets_.size(); }

  // Chooses the row of a set. context: below its size.
  void Select(size_t set, uint32_t context);

  // Mixes in every set and returns the mean of their log odds, Q16.
  int32_t Mix();
  // What a set said in the last Mix(), Q16.
  int32_t output(size_t set) const { return sets_[set].output; }
  // Teaches every set the bit that it predicted.
  void Update(int bit);

 private:
  struct WeightSet {
    uint32_t size;
    uint32_t first_row;  // in weights_ and uses_
    uint32_t row;        // selected
    int32_t output = 0;
    uint32_t p24 = kProbOne / 2;
  };

  int32_t* RowAt(uint32_t row) { return &weights_[row * inputs_.size()]; }

  LearningRate rate_;
  const KernelTable& kernels_;
  size_t num_inputs_;
  std::vector<int32_t> inputs_;  // zeros after them, to whole blocks
  std::vector<WeightSet> sets_;
  std::vector<uint16_t> uses_;    // [rows]
  std::vector<int32_t> weights_;  // [row, inputs_.size()], Q24
};

}  // namespace llma::cm

#endif  // LLMA_CM_WIDE_MIXER_H_
