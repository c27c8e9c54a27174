// SPDX-License-Identifier: Apache-2.0
#include "importer/hf/safetensors_reader.h"

#include <algorithm>

#include "importer/formats/dequantize.h"
#include "importer/hf/json_value.h"

namespace llma {
namespace {

constexpr uint64_t kMaxHeaderBytes = 1 << 25;  // 2^16 tensors of 512 bytes
constexpr size_t kMaxTensors = 1 << 16;
constexpr size_t kMaxDims = 8;
constexpr uint64_t kMaxElements = uint64_t{1} << 40;  // of a tensor
constexpr std::string_view kMetadataKey = "__metadata__";

struct ElementType {
  std::string_view dtype;
  TensorType type;
};

constexpr ElementType kElementTypes[] = {
    {"F32", TensorType::kF32},
    {"F16", TensorType::kF16},
    {"BF16", TensorType::kBf16},
};

// Where a tensor is in the data.
struct Extent {
  uint64_t begin = 0;
  uint64_t end = 0;
  std::string_view name;
};

Error Corrupt(std::string_view name, const std::string& what) {
  return Error{ErrorCode::kCorrupt,
               "tensor " + std::string(name) + ": " + what};
}

Status ReadType(const JsonMember& entry, IntegerTensors integers,
                SourceTensor& tensor) {
  const JsonValue* dtype = entry.value.Find("dtype");
  if (dtype == nullptr || dtype->AsString() == nullptr) {
    return Corrupt(entry.key, "dtype is not a string");
  }
  for (const ElementType& known : kElementTypes) {
    if (known.dtype != *dtype->AsString()) continue;
    tensor.type = static_cast<uint32_t>(known.type);
    return OkStatus();
  }
  if (integers == IntegerTensors::kTaken && *dtype->AsString() == "I8") {
    tensor.type = kIntegerTensor;
    return OkStatus();
  }
  return Error{ErrorCode::kUnsupported, "tensor " + entry.key + ": dtype " +
                                            *dtype->AsString() +
                                            " (F32, F16, BF16 can be read)"};
}

Status ReadShape(const JsonMember& entry, SourceTensor& tensor) {
  const JsonValue* shape = entry.value.Find("shape");
  const auto* sizes = shape != nullptr ? shape->AsArray() : nullptr;
  if (sizes == nullptr || sizes->size() > kMaxDims) {
    return Corrupt(entry.key, "shape is not an array of a few sizes");
  }
  uint64_t num_elements = 1;
  tensor.num_cols = 1;
  for (const JsonValue& size : *sizes) {
    const uint64_t count = size.AsCount().value_or(0);
    if (count == 0 || count > kMaxElements / num_elements) {
      return Corrupt(entry.key, "shape has a size that is out of bounds");
    }
    num_elements *= count;
    tensor.num_cols = count;
  }
  tensor.num_rows = num_elements / tensor.num_cols;
  return OkStatus();
}

Result<Extent> ReadExtent(const JsonMember& entry, const SourceTensor& tensor,
                          uint64_t data_bytes) {
  const JsonValue* offsets = entry.value.Find("data_offsets");
  const auto* pair = offsets != nullptr ? offsets->AsArray() : nullptr;
  if (pair == nullptr || pair->size() != 2 || !(*pair)[0].AsCount() ||
      !(*pair)[1].AsCount()) {
    return Corrupt(entry.key, "data_offsets is not a pair of counts");
  }
  const uint64_t begin = *(*pair)[0].AsCount();
  const uint64_t end = *(*pair)[1].AsCount();
  if (begin > end || end > data_bytes) {
    return Corrupt(entry.key,
                   "data_offsets goes beyond the end of the file: is "
                   "it cut off?");
  }
  const uint64_t row_bytes = tensor.type == kIntegerTensor
                                 ? tensor.num_cols
                                 : TensorRowBytes(tensor.type, tensor.num_cols);
  if (end - begin != row_bytes * tensor.num_rows) {
    return Corrupt(entry.key, "data_offsets does not fit the shape");
  }
  return Extent{begin, end, entry.key};
}

Status CheckMetadata(const JsonValue& metadata) {
  const auto* members = metadata.AsObject();
  if (members == nullptr ||
      !std::all_of(members->begin(), members->end(), [](const auto& m) {
        return m.value.AsString() != nullptr;
      })) {
    return Error{ErrorCode::kCorrupt, "__metadata__ is not a map of strings"};
  }
  return OkStatus();
}

}  // namespace

Result<TensorMap> ParseSafetensors(Bytes file, IntegerTensors integers) {
  ByteReader in(file);
  LLMA_ASSIGN(const uint64_t header_bytes, in.LoadU64());
  if (header_bytes > kMaxHeaderBytes) {
    return Error{ErrorCode::kLimit, "the header is too large", 0};
  }
  LLMA_ASSIGN(const Bytes header_text, in.Take(header_bytes));
  const Bytes data = file.subspan(in.offset());
  LLMA_ASSIGN(const JsonValue header, JsonValue::Parse(header_text));
  const auto* entries = header.AsObject();
  if (entries == nullptr || entries->size() > kMaxTensors) {
    return Error{ErrorCode::kCorrupt, "the header is not a list of tensors"};
  }
  TensorMap tensors;
  std::vector<Extent> extents;
  for (const JsonMember& entry : *entries) {
    if (entry.key == kMetadataKey) {
      LLMA_TRY(CheckMetadata(entry.value));
      continue;
    }
    SourceTensor tensor;
    LLMA_TRY(ReadType(entry, integers, tensor));
    LLMA_TRY(ReadShape(entry, tensor));
    if (entry.value.AsObject()->size() != 3) {
      return Corrupt(entry.key, "a field is not known");
    }
    LLMA_ASSIGN(Extent extent, ReadExtent(entry, tensor, data.size()));
    tensor.data = data.subspan(extent.begin, extent.end - extent.begin);
    tensors.emplace(entry.key, tensor);
    extents.push_back(extent);
  }
  // One after the other, so nothing overlaps and nothing is hidden.
  std::sort(extents.begin(), extents.end(),
            [](const Extent& a, const Extent& b) { return a.begin < b.begin; });
  uint64_t end = 0;
  for (const Extent& extent : extents) {
    if (extent.begin != end) {
      return Corrupt(extent.name, extent.begin < end
                                      ? "data_offsets overlaps another tensor"
                                      : "data_offsets leaves a gap");
    }
    end = extent.end;
  }
  if (end != data.size()) {
    return Error{ErrorCode::kCorrupt, "bytes after the last tensor",
                 file.size() - data.size() + end};
  }
  return tensors;
}

}  // namespace llma
