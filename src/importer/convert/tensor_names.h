// SPDX-License-Identifier: Apache-2.0
// How the kinds of sources call the tensors of a model.
#ifndef LLMA_IMPORTER_CONVERT_TENSOR_NAMES_H_
#define LLMA_IMPORTER_CONVERT_TENSOR_NAMES_H_

#include "importer/source_model.h"

namespace llma {

// Of GGUF files.
TensorNames GgufTensorNames();
// Of Hugging Face folders; what a norm is called depends on which there are.
TensorNames FolderTensorNames(const ModelConfig& config);

// The row of a source that has the two rows of a RoPE pair at 2 p and 2 p + 1
// of a head, for row `i` of queries or keys whose pairs stand at p and p +
// head_dim / 2.
inline uint32_t AdjacentPairRow(uint32_t i, uint32_t head_dim) {
  const uint32_t dim = i % head_dim, half = head_dim / 2;
  return i - dim + (dim < half ? 2 * dim : 2 * (dim - half) + 1);
}

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_TENSOR_NAMES_H_
