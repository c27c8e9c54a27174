// SPDX-License-Identifier: Apache-2.0
// The logits after each token of one stream, for measurements.
#ifndef LLMA_MODEL_ROW_LOGITS_H_
#define LLMA_MODEL_ROW_LOGITS_H_

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "model/forward.h"

namespace llma {

// Calls visit(i, logits) for each of `rows` in order: logits of what comes
// after rows[0] to rows[i], valid during the call.
template <class Visit>
void ForEachRowLogits(const Model& model, const KernelTable& kernels,
                      ThreadPool& pool, std::span<const uint32_t> rows,
                      uint32_t window_positions, const Visit& visit) {
  constexpr uint32_t kBatchRows = 64;
  ForwardPass forward(model, kernels, pool, kBatchRows, window_positions);
  KvCache cache(model.config(), window_positions, kBatchRows);
  const size_t stride = forward.logits_stride();
  std::vector<float> logits(kBatchRows * stride);
  for (size_t begin = 0; begin < rows.size(); begin += kBatchRows) {
    const auto batch =
        rows.subspan(begin, std::min<size_t>(kBatchRows, rows.size() - begin));
    const StreamBatch stream = {&cache, batch};
    forward.Run({&stream, 1});
    forward.ComputeLogits(0, static_cast<uint32_t>(batch.size()),
                          logits.data());
    for (size_t i = 0; i < batch.size(); ++i) {
      visit(begin + i, logits.data() + i * stride);
    }
  }
}

}  // namespace llma

#endif  // LLMA_MODEL_ROW_LOGITS_H_
