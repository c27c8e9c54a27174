// SPDX-License-Identifier: Apache-2.0
// Rows of tensors as floats, in the element formats of GGUF. IEEE operations
// one at a time, so every machine gets the same numbers.
#ifndef LLMA_IMPORTER_FORMATS_DEQUANTIZE_H_
#define LLMA_IMPORTER_FORMATS_DEQUANTIZE_H_

#include <cstdint>
#include <span>
#include <string>

#include "base/bytes.h"

namespace llma {

// Element formats that can be read, with their numbers in GGUF.
enum class TensorType : uint32_t {
  kF32 = 0,
  kF16 = 1,
  kQ4_0 = 2,
  kQ4_1 = 3,
  kQ5_0 = 6,
  kQ5_1 = 7,
  kQ8_0 = 8,
  kQ2_K = 10,
  kQ3_K = 11,
  kQ4_K = 12,
  kQ5_K = 13,
  kQ6_K = 14,
  kIq4Nl = 20,
  kIq4Xs = 23,
  kBf16 = 30,
  kMxfp4 = 39,
  kQ1_0 = 41,
  kQ2_0 = 42,
};

// False for any number that is not one of TensorType.
bool IsReadableType(uint32_t type);
// "Q4_K" and so on, also for types that cannot be read; for messages.
std::string TensorTypeName(uint32_t type);
// The names of all readable types, with commas; for messages.
std::string ReadableTypeNames();

// Bytes of a row of `num_cols` elements, 0 if `type` cannot be read or num_cols
// is not a whole number of its blocks.
uint64_t TensorRowBytes(uint32_t type, uint64_t num_cols);

// in: TensorRowBytes(type, out.size()) bytes. Infinities and NaN of the source
// come through; the caller rejects them.
void DequantizeRow(TensorType type, Bytes in, std::span<float> out);

}  // namespace llma

#endif  // LLMA_IMPORTER_FORMATS_DEQUANTIZE_H_
