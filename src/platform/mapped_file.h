// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_PLATFORM_MAPPED_FILE_H_
#define LLMA_PLATFORM_MAPPED_FILE_H_

#include <cstddef>
#include <cstdint>
#include <llma/result.hpp>
#include <span>
#include <string>

namespace llma {

// A file mapped read-only. Movable; unmapped when destroyed.
class MappedFile {
 public:
  static Result<MappedFile> Open(const std::string& path);
  // Of a file that is open already, from its start; it need not stay open.
  static Result<MappedFile> Map(int fd, const std::string& path);
  MappedFile() = default;
  MappedFile(MappedFile&& other) noexcept;
  MappedFile& operator=(MappedFile&& other) noexcept;
  ~MappedFile();
  std::span<const uint8_t> bytes() const { return {data_, size_}; }

 private:
  MappedFile(const uint8_t* data, size_t size) : data_(data), size_(size) {}
  const uint8_t* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace llma

#endif  // LLMA_PLATFORM_MAPPED_FILE_H_
