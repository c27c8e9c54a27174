// SPDX-License-Identifier: Apache-2.0
// How the kinds of sources call the tensors of a model.
#ifndef LLMA_IMPORTER_TENSOR_NAMES_H_
#define LLMA_IMPORTER_TENSOR_NAMES_H_

#include "importer/source_model.h"

namespace llma {

// Of GGUF files.
TensorNames GgufTensorNames();
// Of Hugging Face folders; what a norm is called depends on which there are.
TensorNames FolderTensorNames(const ModelConfig& config);

}  // namespace llma

#endif  // LLMA_IMPORTER_TENSOR_NAMES_H_
