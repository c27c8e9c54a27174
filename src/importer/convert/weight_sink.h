// SPDX-License-Identifier: Apache-2.0
// Takes the weights of a model.
#ifndef LLMA_IMPORTER_CONVERT_WEIGHT_SINK_H_
#define LLMA_IMPORTER_CONVERT_WEIGHT_SINK_H_

#include <cstdint>
#include <span>

#include "base/status.h"

namespace llma {

// In the order of the sections of docs/MODEL_FILE.md.
class WeightSink {
 public:
  virtual ~WeightSink() = default;
  // A norm or biases.
  virtual Status AddFloats(std::span<const float> values) = 0;
  // A matrix: its shape, then every row once, then its end.
  virtual Status BeginMatrix(uint32_t num_rows, uint32_t num_cols) = 0;
  virtual Status SetRow(uint32_t row_idx, std::span<const float> row) = 0;
  virtual Status EndMatrix() = 0;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_WEIGHT_SINK_H_
