// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/tensor_reader.h"

#include "importer/formats/dequantize.h"
#include "model/model_header.h"

namespace llma {
namespace {

Error Unsupported(const std::string& name, const std::string& what) {
  return Error{ErrorCode::kUnsupported, "tensor " + name + " " + what};
}

// Written so that NaN fails.
bool IsWithin(float value, float max) { return value >= -max && value <= max; }

}  // namespace

Result<const SourceTensor*> TensorReader::Find(const std::string& name,
                                               uint64_t num_rows,
                                               uint64_t num_cols) {
  const auto it = tensors_.find(name);
  if (it == tensors_.end()) return Unsupported(name, "is missing");
  const SourceTensor& tensor = it->second;
  if (tensor.num_cols != num_cols ||
      (num_rows != 0 && tensor.num_rows != num_rows)) {
    return Unsupported(name,
                       "does not have the shape that follows from the "
                       "metadata");
  }
  if (tensor.data.empty()) {
    const std::string type_name = TensorTypeName(tensor.type);
    if (IsReadableType(tensor.type)) {
      return Unsupported(name, "has rows of " + std::to_string(num_cols) +
                                   " values, not whole blocks of " + type_name);
    }
    return Unsupported(name, "has type " + type_name + " (" +
                                 ReadableTypeNames() + " can be read)");
  }
  found_.insert(name);
  return &tensor;
}

Result<std::vector<float>> TensorReader::ReadFloats(const std::string& name,
                                                    uint32_t size) {
  LLMA_ASSIGN(const SourceTensor* tensor, Find(name, 1, size));
  if (tensor->replacement != nullptr) return *tensor->replacement;
  std::vector<float> values(size);
  DequantizeRow(static_cast<TensorType>(tensor->type), tensor->data, values);
  return values;
}

Result<std::vector<float>> TensorReader::ReadNorm(const std::string& name,
                                                  uint32_t size, float offset,
                                                  float divisor) {
  LLMA_ASSIGN(auto weights, ReadFloats(name, size));
  for (float& w : weights) {
    w = (w + offset) / divisor;
    if (!IsWithin(w, kMaxNormWeight)) {
      return Unsupported(name, "has a weight that is out of bounds");
    }
  }
  return weights;
}

Result<std::vector<float>> TensorReader::ReadBias(const std::string& name,
                                                  uint32_t size) {
  LLMA_ASSIGN(auto biases, ReadFloats(name, size));
  for (const float b : biases) {
    if (!IsWithin(b, kMaxBias)) {
      return Unsupported(name, "has a bias that is out of bounds");
    }
  }
  return biases;
}

Status TensorReader::ReadRows(
    const std::string& name, const SourceTensor& tensor, uint32_t num_rows,
    const std::function<uint32_t(uint32_t)>& source_row, float factor,
    uint32_t first_row, WeightSink& out) const {
  std::vector<float> row(tensor.num_cols);
  const size_t row_bytes = tensor.data.size() / tensor.num_rows;
  for (uint32_t i = 0; i < num_rows; ++i) {
    const uint32_t source = source_row(i);
    LLMA_ENSURE(source < tensor.num_rows);
    DequantizeRow(static_cast<TensorType>(tensor.type),
                  tensor.data.subspan(row_bytes * source, row_bytes), row);
    if (tensor.update != nullptr) tensor.update->AddTo(source, row);
    for (float& value : row) value *= factor;
    Status set = out.SetRow(first_row + i, row);
    if (!set) {
      return Error{set.error().code,
                   "tensor " + name + ": " + set.error().what};
    }
  }
  return OkStatus();
}

Status TensorReader::CheckAllFound() const {
  for (const auto& [name, tensor] : tensors_) {
    if (found_.count(name) == 0) {
      return Unsupported(name, "is not known");
    }
  }
  return OkStatus();
}

}  // namespace llma
