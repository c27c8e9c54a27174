// SPDX-License-Identifier: Apache-2.0
// The safetensors format: a JSON header that lists tensors, then their bytes
// without gaps, little-endian, rows first.
#ifndef LLMA_IMPORTER_HF_SAFETENSORS_READER_H_
#define LLMA_IMPORTER_HF_SAFETENSORS_READER_H_

#include "base/bytes.h"
#include "base/status.h"
#include "importer/source_model.h"

namespace llma {

// The type of a tensor of 8-bit integers; not a TensorType.
inline constexpr uint32_t kIntegerTensor = 0xffffffff;

enum class IntegerTensors { kRefused, kTaken };

// The tensors of a file, as views into it. All are F32, F16 or BF16, or I8
// where these are taken; every size and offset is checked, and errors name the
// tensor and its field.
Result<TensorMap> ParseSafetensors(
    Bytes file, IntegerTensors integers = IntegerTensors::kRefused);

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_SAFETENSORS_READER_H_
