// SPDX-License-Identifier: Apache-2.0
// Little-endian reading and writing of byte buffers, every access checked.
#ifndef LLMA_BASE_BYTES_H_
#define LLMA_BASE_BYTES_H_

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace llma {

using Bytes = std::span<const uint8_t>;

inline Bytes AsBytes(std::string_view s) {
  return {reinterpret_cast<const uint8_t*>(s.data()), s.size()};
}
inline std::string_view AsStringView(Bytes b) {
  return {reinterpret_cast<const char*>(b.data()), b.size()};
}

// Reads from the front of a buffer that outlives it. Every read is checked and
// gives kTruncated with the offset where the buffer ended.
class ByteReader {
 public:
  explicit ByteReader(Bytes data) : data_(data) {}

  size_t offset() const { return offset_; }
  size_t remaining() const { return data_.size() - offset_; }

  // The next `size` bytes, not copied.
  Result<Bytes> Take(uint64_t size) {
    if (size > remaining()) {
      return Error{ErrorCode::kTruncated, "unexpected end", data_.size()};
    }
    const Bytes taken = data_.subspan(offset_, static_cast<size_t>(size));
    offset_ += static_cast<size_t>(size);
    return taken;
  }

  Result<uint8_t> LoadU8() { return Load<uint8_t>(); }
  Result<uint16_t> LoadU16() { return Load<uint16_t>(); }
  Result<uint32_t> LoadU32() { return Load<uint32_t>(); }
  Result<uint64_t> LoadU64() { return Load<uint64_t>(); }
  Result<float> LoadF32() {
    LLMA_ASSIGN(const uint32_t bits, LoadU32());
    return std::bit_cast<float>(bits);
  }

  // LEB128, at most 10 bytes, only the shortest form is accepted.
  Result<uint64_t> LoadVarint() {
    const uint64_t start = offset_;
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      LLMA_ASSIGN(const uint8_t byte, LoadU8());
      const uint64_t bits = byte & 0x7f;
      if (shift == 63 && bits > 1) break;
      value |= bits << shift;
      if ((byte & 0x80) == 0) {
        if (byte == 0 && shift > 0) break;  // not the shortest form
        return value;
      }
    }
    return Error{ErrorCode::kCorrupt, "malformed integer", start};
  }

 private:
  template <class T>
  Result<T> Load() {
    const size_t start = offset_;
    if (sizeof(T) > remaining()) {
      return Error{ErrorCode::kTruncated, "unexpected end", data_.size()};
    }
    T value = 0;
    for (size_t i = 0; i < sizeof(T); ++i) {
      value = static_cast<T>(value |
                             static_cast<T>(T{data_[start + i]} << (8 * i)));
    }
    offset_ += sizeof(T);
    return value;
  }

  Bytes data_;
  size_t offset_ = 0;
};

// Appends to a buffer.
class ByteWriter {
 public:
  void StoreU8(uint8_t v) { out_.push_back(v); }
  void StoreU16(uint16_t v) { Store(v, 2); }
  void StoreU32(uint32_t v) { Store(v, 4); }
  void StoreU64(uint64_t v) { Store(v, 8); }
  void StoreF32(float v) { StoreU32(std::bit_cast<uint32_t>(v)); }
  void StoreVarint(uint64_t v) {
    for (; v >= 0x80; v >>= 7) StoreU8(static_cast<uint8_t>(v | 0x80));
    StoreU8(static_cast<uint8_t>(v));
  }
  // Not inline: where g++ 12 and 14 see the sizes, they warn of writes beyond
  // the old end of the vector.
  [[gnu::noinline]] void StoreBytes(Bytes b) {
    out_.insert(out_.end(), b.begin(), b.end());
  }
  void AlignTo(size_t alignment_bytes) {
    while (out_.size() % alignment_bytes != 0) out_.push_back(0);
  }

  size_t size() const { return out_.size(); }
  Bytes bytes() const { return out_; }
  std::vector<uint8_t> TakeBytes() && { return std::move(out_); }

 private:
  void Store(uint64_t v, int num_bytes) {
    for (int i = 0; i < num_bytes; ++i) {
      out_.push_back(static_cast<uint8_t>(v >> (8 * i)));
    }
  }

  std::vector<uint8_t> out_;
};

}  // namespace llma

#endif  // LLMA_BASE_BYTES_H_
