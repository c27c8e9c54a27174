// SPDX-License-Identifier: Apache-2.0
// Arrays of numbers as files have them, the lowest byte of each first, and as
// this machine's memory has them.
#ifndef LLMA_BASE_NUMBER_ARRAYS_H_
#define LLMA_BASE_NUMBER_ARRAYS_H_

#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/bytes.h"

namespace llma {

static_assert(std::endian::native == std::endian::little ||
                  std::endian::native == std::endian::big,
              "memory has the bytes of a number in one of two orders");
// True where an array of a file may be used in place.
inline constexpr bool kMemoryIsAsFiles =
    std::endian::native == std::endian::little;

// Numbers of `number_bytes` bytes each, with the bytes in the other order.
inline void ReverseNumbers(Bytes from, size_t number_bytes, uint8_t* to) {
  for (size_t start = 0; start < from.size(); start += number_bytes) {
    for (size_t i = 0; i < number_bytes; ++i) {
      to[start + i] = from[start + number_bytes - 1 - i];
    }
  }
}

// The numbers that `file` has, which is aligned for them and whose size is a
// multiple of theirs: in place, or in a new one of `copies`. Throws
// std::bad_alloc.
template <class T>
std::span<const T> NumbersOfFile(Bytes file,
                                 std::vector<AlignedBuffer<uint8_t>>& copies) {
  const uint8_t* numbers = file.data();
  if constexpr (!kMemoryIsAsFiles && sizeof(T) > 1) {
    AlignedBuffer<uint8_t> copy(file.size());
    ReverseNumbers(file, sizeof(T), copy.data());
    numbers = copy.data();
    copies.push_back(std::move(copy));
  }
  return {reinterpret_cast<const T*>(numbers), file.size() / sizeof(T)};
}

// `numbers` as a file has them: in place, or in `copy`.
template <class T>
Bytes BytesForFile(std::span<const T> numbers, std::vector<uint8_t>& copy) {
  const Bytes bytes(reinterpret_cast<const uint8_t*>(numbers.data()),
                    numbers.size_bytes());
  if constexpr (!kMemoryIsAsFiles && sizeof(T) > 1) {
    copy.resize(bytes.size());
    ReverseNumbers(bytes, sizeof(T), copy.data());
    return copy;
  }
  return bytes;
}

}  // namespace llma

#endif  // LLMA_BASE_NUMBER_ARRAYS_H_
