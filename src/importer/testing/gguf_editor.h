// SPDX-License-Identifier: Apache-2.0
// For tests: takes a GGUF file apart, changes it, and puts it together.
#ifndef LLMA_IMPORTER_TESTING_GGUF_EDITOR_H_
#define LLMA_IMPORTER_TESTING_GGUF_EDITOR_H_

#include <bit>
#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "importer/gguf/gguf_reader.h"

namespace llma {

class GgufEditor {
 public:
  struct Value {
    GgufType type;
    std::vector<uint8_t> payload;  // of an array: type and count, too
  };
  struct Tensor {
    std::vector<uint64_t> dims;  // the fastest first
    uint32_t type;
    std::vector<uint8_t> data;
  };

  GgufEditor() = default;
  explicit GgufEditor(const GgufReader& gguf) {
    for (const auto& [key, value] : gguf.values()) {
      ByteWriter payload;
      if (value.type == GgufType::kArray) {
        payload.StoreU32(static_cast<uint32_t>(value.element_type));
        payload.StoreU64(value.num_elements);
      }
      payload.StoreBytes(value.payload);
      values[std::string(key)] = {value.type, std::move(payload).TakeBytes()};
    }
    for (const auto& [name, tensor] : gguf.tensors()) {
      tensors[std::string(name)] = {{tensor.num_cols, tensor.num_rows},
                                    tensor.type,
                                    {tensor.data.begin(), tensor.data.end()}};
    }
  }

  void Set(const std::string& key, GgufType type, const ByteWriter& payload) {
    const Bytes bytes = payload.bytes();
    values[key] = {type, {bytes.begin(), bytes.end()}};
  }
  void SetU32(const std::string& key, uint32_t value) {
    ByteWriter out;
    out.StoreU32(value);
    Set(key, GgufType::kU32, out);
  }
  void SetF32(const std::string& key, float value) {
    ByteWriter out;
    out.StoreF32(value);
    Set(key, GgufType::kF32, out);
  }
  void SetF64(const std::string& key, double value) {
    ByteWriter out;
    out.StoreU64(std::bit_cast<uint64_t>(value));
    Set(key, GgufType::kF64, out);
  }
  void SetI32(const std::string& key, int32_t value) {
    ByteWriter out;
    out.StoreU32(static_cast<uint32_t>(value));
    Set(key, GgufType::kI32, out);
  }
  void SetBool(const std::string& key, bool value) {
    ByteWriter out;
    out.StoreU8(value ? 1 : 0);
    Set(key, GgufType::kBool, out);
  }
  void SetBools(const std::string& key, const std::vector<bool>& flags) {
    ByteWriter out;
    out.StoreU32(static_cast<uint32_t>(GgufType::kBool));
    out.StoreU64(flags.size());
    for (const bool value : flags) out.StoreU8(value ? 1 : 0);
    Set(key, GgufType::kArray, out);
  }
  void SetString(const std::string& key, std::string_view value) {
    ByteWriter out;
    StoreString(out, value);
    Set(key, GgufType::kString, out);
  }
  void SetStrings(const std::string& key,
                  const std::vector<std::string>& strings) {
    ByteWriter out;
    out.StoreU32(static_cast<uint32_t>(GgufType::kString));
    out.StoreU64(strings.size());
    for (const std::string& s : strings) StoreString(out, s);
    Set(key, GgufType::kArray, out);
  }
  void SetU32s(const std::string& key, const std::vector<uint32_t>& numbers) {
    ByteWriter out;
    out.StoreU32(static_cast<uint32_t>(GgufType::kI32));
    out.StoreU64(numbers.size());
    for (const uint32_t n : numbers) out.StoreU32(n);
    Set(key, GgufType::kArray, out);
  }
  void SetF32s(const std::string& key, const std::vector<float>& numbers) {
    ByteWriter out;
    out.StoreU32(static_cast<uint32_t>(GgufType::kF32));
    out.StoreU64(numbers.size());
    for (const float n : numbers) out.StoreF32(n);
    Set(key, GgufType::kArray, out);
  }

  std::vector<uint8_t> Encode(uint32_t version = 3,
                              uint32_t alignment = 32) const {
    ByteWriter out;
    out.StoreBytes(AsBytes("GGUF"));
    out.StoreU32(version);
    out.StoreU64(tensors.size());
    out.StoreU64(values.size());
    for (const auto& [key, value] : values) {
      StoreString(out, key);
      out.StoreU32(static_cast<uint32_t>(value.type));
      out.StoreBytes(value.payload);
    }
    ByteWriter data;
    for (const auto& [name, tensor] : tensors) {
      data.AlignTo(alignment);
      StoreString(out, name);
      out.StoreU32(static_cast<uint32_t>(tensor.dims.size()));
      for (const uint64_t dim : tensor.dims) out.StoreU64(dim);
      out.StoreU32(tensor.type);
      out.StoreU64(data.size());
      data.StoreBytes(tensor.data);
    }
    out.AlignTo(alignment);
    out.StoreBytes(data.bytes());
    return std::move(out).TakeBytes();
  }

  std::map<std::string, Value> values;
  std::map<std::string, Tensor> tensors;

 private:
  static void StoreString(ByteWriter& out, std::string_view s) {
    out.StoreU64(s.size());
    out.StoreBytes(AsBytes(s));
  }
};

}  // namespace llma

#endif  // LLMA_IMPORTER_TESTING_GGUF_EDITOR_H_
