// SPDX-License-Identifier: Apache-2.0
// What an adapter adds to a matrix: scale * B A, of low rank (Hu et al. 2021,
// "LoRA").
#ifndef LLMA_IMPORTER_CONVERT_LOW_RANK_UPDATE_H_
#define LLMA_IMPORTER_CONVERT_LOW_RANK_UPDATE_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace llma {

struct LowRankUpdate {
  uint32_t rank = 0;
  float scale = 0;
  std::vector<float> a;  // [rank, num_cols]
  std::vector<float> b;  // [num_rows, rank]

  // row = row + scale * (B[row_idx] A), [num_cols]: the products of a column
  // are added in the order of the ranks, in binary32.
  void AddTo(size_t row_idx, std::span<float> row) const {
    std::vector<float> sums(row.size());
    for (uint32_t k = 0; k < rank; ++k) {
      const float factor = b[row_idx * rank + k];
      const float* a_row = a.data() + size_t{k} * row.size();
      for (size_t i = 0; i < row.size(); ++i) sums[i] += factor * a_row[i];
    }
    for (size_t i = 0; i < row.size(); ++i) row[i] += scale * sums[i];
  }
};

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_LOW_RANK_UPDATE_H_
