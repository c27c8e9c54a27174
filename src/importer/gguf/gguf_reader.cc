// SPDX-License-Identifier: Apache-2.0
#include "importer/gguf/gguf_reader.h"

#include <algorithm>
#include <bit>
#include <cstdio>

#include "importer/formats/dequantize.h"

namespace llma {
namespace {

constexpr uint32_t kDefaultAlignment = 32;
constexpr uint64_t kMaxEntries = 1 << 16;  // metadata keys, and tensors
constexpr uint64_t kMaxKeyBytes = 1 << 16;
constexpr uint32_t kMaxDims = 4;
constexpr uint64_t kMaxElements = uint64_t{1} << 40;  // of a tensor
constexpr int kMaxArrayDepth = 4;

Error Corrupt(const std::string& what, uint64_t offset) {
  return Error{ErrorCode::kCorrupt, "GGUF: " + what, offset};
}

Error BadKey(std::string_view key, const char* what) {
  return Error{ErrorCode::kUnsupported,
               "GGUF: metadata " + std::string(key) + " " + what};
}

// Bytes of a scalar; 0 for strings, arrays and unknown types.
uint64_t ScalarBytes(GgufType type) {
  switch (type) {
    case GgufType::kU8:
    case GgufType::kI8:
    case GgufType::kBool:
      return 1;
    case GgufType::kU16:
    case GgufType::kI16:
      return 2;
    case GgufType::kU32:
    case GgufType::kI32:
    case GgufType::kF32:
      return 4;
    case GgufType::kU64:
    case GgufType::kI64:
    case GgufType::kF64:
      return 8;
    default:
      return 0;
  }
}

Result<std::string_view> LoadString(ByteReader& in) {
  LLMA_ASSIGN(const uint64_t size, in.LoadU64());
  LLMA_ASSIGN(const Bytes bytes, in.Take(size));
  return AsStringView(bytes);
}

Status SkipElements(ByteReader& in, GgufType type, uint64_t count, int depth);

// Skips a value of the type, and so checks that it lies in the file.
Status SkipValue(ByteReader& in, GgufType type, int depth) {
  if (type == GgufType::kString) {
    LLMA_TRY(LoadString(in));
    return OkStatus();
  }
  if (type == GgufType::kArray) {
    LLMA_ASSIGN(const uint32_t element_type, in.LoadU32());
    LLMA_ASSIGN(const uint64_t count, in.LoadU64());
    return SkipElements(in, static_cast<GgufType>(element_type), count, depth);
  }
  const uint64_t size = ScalarBytes(type);
  if (size == 0) return Corrupt("unknown metadata type", in.offset());
  LLMA_TRY(in.Take(size));
  return OkStatus();
}

Status SkipElements(ByteReader& in, GgufType type, uint64_t count, int depth) {
  if (depth >= kMaxArrayDepth) return Corrupt("arrays too deep", in.offset());
  if (const uint64_t size = ScalarBytes(type); size != 0) {
    if (count > in.remaining() / size) {
      return Error{ErrorCode::kTruncated, "GGUF: unexpected end", in.offset()};
    }
    LLMA_TRY(in.Take(count * size));
    return OkStatus();
  }
  // Each element takes at least 8 bytes, so the file bounds the loop.
  for (uint64_t i = 0; i < count; ++i) {
    LLMA_TRY(SkipValue(in, type, depth + 1));
  }
  return OkStatus();
}

Result<GgufValue> LoadValue(ByteReader& in, Bytes file) {
  GgufValue value;
  LLMA_ASSIGN(const uint32_t type, in.LoadU32());
  value.type = static_cast<GgufType>(type);
  size_t start = in.offset();
  if (value.type == GgufType::kArray) {
    LLMA_ASSIGN(const uint32_t element_type, in.LoadU32());
    value.element_type = static_cast<GgufType>(element_type);
    LLMA_ASSIGN(value.num_elements, in.LoadU64());
    start = in.offset();
    LLMA_TRY(SkipElements(in, value.element_type, value.num_elements, 0));
  } else {
    LLMA_TRY(SkipValue(in, value.type, 0));
  }
  value.payload = file.subspan(start, in.offset() - start);
  return value;
}

bool IsSigned(GgufType type) {
  return type == GgufType::kI8 || type == GgufType::kI16 ||
         type == GgufType::kI32 || type == GgufType::kI64;
}

bool IsInteger(GgufType type) {
  return ScalarBytes(type) != 0 && type != GgufType::kBool &&
         type != GgufType::kF32 && type != GgufType::kF64;
}

// The bytes of a scalar as an integer, without a sign.
bool LoadBits(ByteReader& in, GgufType type, uint64_t& bits) {
  const auto bytes = in.Take(ScalarBytes(type));
  if (!bytes || bytes->empty()) return false;
  bits = 0;
  for (size_t i = 0; i < bytes->size(); ++i) {
    bits |= uint64_t{(*bytes)[i]} << (8 * i);
  }
  return true;
}

// An integer of any type as u32; false if it is not one or does not fit.
bool LoadAsU32(ByteReader& in, GgufType type, uint32_t& value) {
  uint64_t bits = 0;
  if (!IsInteger(type) || !LoadBits(in, type, bits)) return false;
  if (IsSigned(type) && (bits >> (8 * ScalarBytes(type) - 1)) != 0) {
    return false;
  }
  value = static_cast<uint32_t>(bits);
  return value == bits;
}

// A number or truth value of any type; false if it is none.
bool LoadAsDouble(ByteReader& in, GgufType type, double& value) {
  uint64_t bits = 0;
  if (!LoadBits(in, type, bits)) return false;
  if (type == GgufType::kF32) {
    value = std::bit_cast<float>(static_cast<uint32_t>(bits));
  } else if (type == GgufType::kF64) {
    value = std::bit_cast<double>(bits);
  } else if (type == GgufType::kBool) {
    value = bits != 0 ? 1 : 0;
  } else if (IsSigned(type)) {
    const auto shift = static_cast<int>(64 - 8 * ScalarBytes(type));
    value = static_cast<double>(static_cast<int64_t>(bits << shift) >> shift);
  } else {
    value = static_cast<double>(bits);
  }
  return true;
}

// As a float, if it can be one: the conversion is defined.
bool LoadAsF32(ByteReader& in, GgufType type, float& value) {
  double number = 0;
  if (type == GgufType::kBool || !LoadAsDouble(in, type, number)) return false;
  if (type == GgufType::kF64 && !(number >= -1e38 && number <= 1e38)) {
    return false;
  }
  value = static_cast<float>(number);
  return true;
}

// Whether a value says nothing.
bool IsEmptyScalar(ByteReader& in, GgufType type) {
  if (type == GgufType::kString) {
    const auto text = LoadString(in);
    return text && text->empty();
  }
  uint64_t bits = 0;
  if (!LoadBits(in, type, bits)) return false;
  const uint64_t none = ~uint64_t{0} >> (64 - 8 * ScalarBytes(type));
  return bits == 0 || (IsInteger(type) && bits == none);
}

// A tensor's entry; its offset is not known before all entries are read.
struct TensorEntry {
  std::string_view name;
  SourceTensor tensor;
  uint64_t offset = 0;  // from the start of the data
};

Result<TensorEntry> LoadTensorEntry(ByteReader& in) {
  TensorEntry entry;
  const uint64_t start = in.offset();
  LLMA_ASSIGN(entry.name, LoadString(in));
  LLMA_ASSIGN(const uint32_t num_dims, in.LoadU32());
  if (entry.name.empty() || entry.name.size() > kMaxKeyBytes || num_dims == 0 ||
      num_dims > kMaxDims) {
    return Corrupt("bad tensor entry", start);
  }
  uint64_t num_elements = 1;
  for (uint32_t i = 0; i < num_dims; ++i) {
    LLMA_ASSIGN(const uint64_t size, in.LoadU64());
    if (size == 0 || size > kMaxElements / num_elements) {
      return Corrupt("bad tensor shape", start);
    }
    num_elements *= size;
    if (i == 0) entry.tensor.num_cols = size;
  }
  entry.tensor.num_rows = num_elements / entry.tensor.num_cols;
  LLMA_ASSIGN(entry.tensor.type, in.LoadU32());
  LLMA_ASSIGN(entry.offset, in.LoadU64());
  return entry;
}

}  // namespace

Result<GgufReader> GgufReader::Parse(Bytes file) {
  ByteReader in(file);
  const auto magic = in.Take(4);
  if (!magic || AsStringView(*magic) != "GGUF") {
    return Error{ErrorCode::kBadMagic, "not a GGUF file", 0};
  }
  LLMA_ASSIGN(const uint32_t version, in.LoadU32());
  if (version != 2 && version != 3) {
    return Error{ErrorCode::kUnsupported,
                 (version & 0xffff) == 0
                     ? std::string("GGUF: big-endian files are not supported")
                     : "GGUF: version " + std::to_string(version) +
                           " is not supported (2 and 3 are)",
                 4};
  }
  LLMA_ASSIGN(const uint64_t num_tensors, in.LoadU64());
  LLMA_ASSIGN(const uint64_t num_values, in.LoadU64());
  if (num_tensors > kMaxEntries || num_values > kMaxEntries) {
    return Error{ErrorCode::kLimit, "GGUF: too many entries", 8};
  }

  GgufReader gguf;
  for (uint64_t i = 0; i < num_values; ++i) {
    const uint64_t start = in.offset();
    LLMA_ASSIGN(const std::string_view key, LoadString(in));
    if (key.empty() || key.size() > kMaxKeyBytes) {
      return Corrupt("bad metadata key", start);
    }
    LLMA_ASSIGN(const GgufValue value, LoadValue(in, file));
    if (!gguf.values_.emplace(key, value).second) {
      return Corrupt("metadata key twice", start);
    }
  }
  std::vector<TensorEntry> entries;
  for (uint64_t i = 0; i < num_tensors; ++i) {
    LLMA_ASSIGN(TensorEntry entry, LoadTensorEntry(in));
    entries.push_back(entry);
  }

  uint32_t alignment = kDefaultAlignment;
  if (gguf.Has("general.alignment")) {
    LLMA_ASSIGN(alignment, gguf.GetU32("general.alignment"));
    if (!std::has_single_bit(alignment) || alignment > (1u << 20)) {
      return BadKey("general.alignment", "is not a power of two");
    }
  }
  const uint64_t data_start =
      (in.offset() + alignment - 1) / alignment * alignment;
  for (TensorEntry& entry : entries) {
    SourceTensor& tensor = entry.tensor;
    const uint64_t row_bytes = TensorRowBytes(tensor.type, tensor.num_cols);
    if (row_bytes != 0) {
      // Both factors are below 2^40, the offset is compared without adding.
      const uint64_t limit = file.size();
      if (data_start > limit || entry.offset > limit - data_start ||
          tensor.num_rows > (limit - data_start - entry.offset) / row_bytes) {
        return Error{ErrorCode::kTruncated,
                     "GGUF: tensor " + std::string(entry.name) +
                         " goes beyond the end of the file: is it cut off?",
                     limit};
      }
      tensor.data =
          file.subspan(data_start + entry.offset, tensor.num_rows * row_bytes);
    }
    if (!gguf.tensors_.emplace(entry.name, tensor).second) {
      return Corrupt("tensor twice: " + std::string(entry.name), in.offset());
    }
  }
  return gguf;
}

Result<uint32_t> GgufReader::GetU32(std::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end()) return BadKey(key, "is missing");
  ByteReader in(it->second.payload);
  uint32_t value = 0;
  if (!LoadAsU32(in, it->second.type, value)) {
    return BadKey(key, "is not a 32-bit count");
  }
  return value;
}

Result<float> GgufReader::GetF32(std::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end()) return BadKey(key, "is missing");
  ByteReader in(it->second.payload);
  float value = 0;
  if (!LoadAsF32(in, it->second.type, value)) {
    return BadKey(key, "is not a float");
  }
  return value;
}

Result<uint32_t> GgufReader::GetSameU32(std::string_view key,
                                        size_t num_elements) const {
  if (!IsArray(key)) return GetU32(key);
  LLMA_ASSIGN(const auto numbers, GetU32s(key));
  if (numbers.empty() || numbers.size() != num_elements) {
    return BadKey(key, "does not have one number for each layer");
  }
  for (const uint32_t number : numbers) {
    if (number != numbers.front()) {
      return BadKey(key, "is not the same for each layer");
    }
  }
  return numbers.front();
}

std::optional<double> GgufReader::FindNumber(std::string_view key) const {
  const auto it = values_.find(key);
  double number = 0;
  if (it == values_.end()) return {};
  ByteReader in(it->second.payload);
  if (!LoadAsDouble(in, it->second.type, number)) return {};
  return number;
}

bool GgufReader::IsEmptyValue(std::string_view key) const {
  const auto it = values_.find(key);
  LLMA_DCHECK(it != values_.end());
  const GgufValue& value = it->second;
  ByteReader in(value.payload);
  if (value.type != GgufType::kArray) return IsEmptyScalar(in, value.type);
  for (uint64_t i = 0; i < value.num_elements; ++i) {
    if (!IsEmptyScalar(in, value.element_type)) return false;
  }
  return true;
}

bool GgufReader::IsArray(std::string_view key) const {
  const auto it = values_.find(key);
  return it != values_.end() && it->second.type == GgufType::kArray;
}

std::string GgufReader::ValueText(std::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end()) return "missing";
  if (it->second.type == GgufType::kArray) return "a list";
  if (const auto text = GetString(key)) return std::string(*text);
  const double number = FindNumber(key).value_or(0);
  if (it->second.type == GgufType::kBool) return number != 0 ? "true" : "false";
  char shown[32];
  std::snprintf(shown, sizeof(shown), "%.9g", number);
  return shown;
}

Result<std::string_view> GgufReader::GetString(std::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end()) return BadKey(key, "is missing");
  if (it->second.type != GgufType::kString) {
    return BadKey(key, "is not a string");
  }
  ByteReader in(it->second.payload);
  return LoadString(in);
}

Result<std::vector<std::string_view>> GgufReader::GetStrings(
    std::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end()) return BadKey(key, "is missing");
  const GgufValue& value = it->second;
  if (value.type != GgufType::kArray ||
      value.element_type != GgufType::kString) {
    return BadKey(key, "is not an array of strings");
  }
  // The parser found all of them in the file, so the count is at most an
  // eighth of its size.
  std::vector<std::string_view> strings;
  strings.reserve(value.num_elements);
  ByteReader in(value.payload);
  for (uint64_t i = 0; i < value.num_elements; ++i) {
    LLMA_ASSIGN(const std::string_view s, LoadString(in));
    strings.push_back(s);
  }
  return strings;
}

Result<std::vector<uint32_t>> GgufReader::GetU32s(std::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end()) return BadKey(key, "is missing");
  const GgufValue& value = it->second;
  if (value.type != GgufType::kArray) return BadKey(key, "is not an array");
  std::vector<uint32_t> numbers;
  ByteReader in(value.payload);
  for (uint64_t i = 0; i < value.num_elements; ++i) {
    uint32_t number = 0;
    uint64_t truth = 0;
    if (value.element_type == GgufType::kBool &&
        LoadBits(in, GgufType::kBool, truth)) {
      number = truth != 0 ? 1 : 0;
    } else if (!LoadAsU32(in, value.element_type, number)) {
      return BadKey(key, "is not an array of counts");
    }
    numbers.push_back(number);
  }
  return numbers;
}

Result<std::vector<float>> GgufReader::GetF32s(std::string_view key) const {
  const auto it = values_.find(key);
  if (it == values_.end()) return BadKey(key, "is missing");
  const GgufValue& value = it->second;
  if (value.type != GgufType::kArray) {
    return BadKey(key, "is not an array of floats");
  }
  std::vector<float> numbers;
  ByteReader in(value.payload);
  for (uint64_t i = 0; i < value.num_elements; ++i) {
    float number = 0;
    if (!LoadAsF32(in, value.element_type, number)) {
      return BadKey(key, "is not an array of floats");
    }
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace llma
