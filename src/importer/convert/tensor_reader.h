// SPDX-License-Identifier: Apache-2.0
// Reads tensors of a source by name, checks their shapes, and remembers
// which were read.
#ifndef LLMA_IMPORTER_CONVERT_TENSOR_READER_H_
#define LLMA_IMPORTER_CONVERT_TENSOR_READER_H_

#include <cstdint>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "base/status.h"
#include "importer/convert/weight_sink.h"
#include "importer/source_model.h"

namespace llma {

// Errors name the tensor. `tensors` must outlive the reader.
class TensorReader {
 public:
  explicit TensorReader(const TensorMap& tensors) : tensors_(tensors) {}

  // A tensor of the shape, of a type that can be read; num_rows 0 stands for
  // any number.
  Result<const SourceTensor*> Find(const std::string& name, uint64_t num_rows,
                                   uint64_t num_cols);

  bool Has(const std::string& name) const { return tensors_.count(name) != 0; }

  // The weights of a norm plus `offset`, over `divisor`, [size], within the
  // bounds of the model file.
  Result<std::vector<float>> ReadNorm(const std::string& name, uint32_t size,
                                      float offset, float divisor);
  // The same of biases.
  Result<std::vector<float>> ReadBias(const std::string& name, uint32_t size);
  // Any numbers, which the caller checks.
  Result<std::vector<float>> ReadFloats(const std::string& name, uint32_t size);

  // Rows source_row(0 ... num_rows - 1) of a tensor, times `factor`, to rows
  // first_row ... of a matrix that has begun.
  Status ReadRows(const std::string& name, const SourceTensor& tensor,
                  uint32_t num_rows,
                  const std::function<uint32_t(uint32_t)>& source_row,
                  float factor, uint32_t first_row, WeightSink& out) const;

  // kUnsupported if a tensor was not looked for.
  Status CheckAllFound() const;

 private:
  const TensorMap& tensors_;
  std::set<std::string, std::less<>> found_;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_TENSOR_READER_H_
