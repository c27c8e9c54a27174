// SPDX-License-Identifier: Apache-2.0
// Reads the structure of GGUF files, versions 2 and 3, little-endian: metadata
// and the directory of tensors. Every count, size and offset is checked.
#ifndef LLMA_IMPORTER_GGUF_GGUF_READER_H_
#define LLMA_IMPORTER_GGUF_GGUF_READER_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "importer/source_model.h"

namespace llma {

enum class GgufType : uint32_t {
  kU8 = 0,
  kI8 = 1,
  kU16 = 2,
  kI16 = 3,
  kU32 = 4,
  kI32 = 5,
  kF32 = 6,
  kBool = 7,
  kString = 8,
  kArray = 9,
  kU64 = 10,
  kI64 = 11,
  kF64 = 12,
};

// A metadata value; its bytes stay in the file and are decoded on demand.
struct GgufValue {
  GgufType type = GgufType::kU8;
  // For kArray: what it holds.
  GgufType element_type = GgufType::kU8;
  uint64_t num_elements = 0;
  Bytes payload;  // without type and count
};

// Views into bytes that outlive it.
class GgufReader {
 public:
  static Result<GgufReader> Parse(Bytes bytes);

  bool Has(std::string_view key) const { return values_.count(key) != 0; }
  // kUnsupported, naming the key, if it is missing or of another type. Any
  // integer type will do for GetU32, if the value fits, and any type of numbers
  // for GetF32.
  Result<uint32_t> GetU32(std::string_view key) const;
  Result<float> GetF32(std::string_view key) const;
  // A count, or an array of equal ones, one for each of `num_elements`.
  Result<uint32_t> GetSameU32(std::string_view key, size_t num_elements) const;
  Result<std::string_view> GetString(std::string_view key) const;
  Result<std::vector<std::string_view>> GetStrings(std::string_view key) const;
  // Also of truth values: 0 and 1.
  Result<std::vector<uint32_t>> GetU32s(std::string_view key) const;
  Result<std::vector<float>> GetF32s(std::string_view key) const;
  // The number, or 0 and 1 for truth values; none if it is no such value.
  std::optional<double> FindNumber(std::string_view key) const;
  // Whether it says nothing: 0, -1 (for "none"), false, an empty text, or an
  // array of these. It must be there.
  bool IsEmptyValue(std::string_view key) const;
  bool IsArray(std::string_view key) const;
  // For messages: "8", "true", "a list".
  std::string ValueText(std::string_view key) const;

  const TensorMap& tensors() const { return tensors_; }
  const std::map<std::string_view, GgufValue>& values() const {
    return values_;
  }

 private:
  std::map<std::string_view, GgufValue> values_;
  TensorMap tensors_;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_GGUF_GGUF_READER_H_
