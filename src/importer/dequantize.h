// SPDX-License-Identifier: Apache-2.0
// Rows of GGUF tensors as floats: F32, F16, BF16, Q8_0, Q4_0, Q4_1.
// IEEE operations only, so every machine gets the same numbers.
#ifndef LLMA_IMPORTER_DEQUANTIZE_H_
#define LLMA_IMPORTER_DEQUANTIZE_H_

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "importer/gguf_reader.h"

namespace llma {

// The exact value of an IEEE binary16.
float HalfToFloat(uint16_t half);

// in: TensorRowBytes(type, out.size()) bytes. Infinities and NaN of the source
// come through; the caller rejects them.
void DequantizeRow(TensorType type, Bytes in, std::span<float> out);

}  // namespace llma

#endif  // LLMA_IMPORTER_DEQUANTIZE_H_
