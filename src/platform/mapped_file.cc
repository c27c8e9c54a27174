// SPDX-License-Identifier: Apache-2.0
#include "platform/mapped_file.h"

#include <utility>

#include "base/machine_limits.h"
#include "platform/descriptors.h"
#include "platform/file_info.h"
#include "platform/file_mapping.h"

namespace llma {

Result<MappedFile> MappedFile::Open(const std::string& path) {
  const Descriptor fd = OpenForReading(path);
  if (!fd.is_open()) return SystemError("cannot open " + path);
  return Map(fd.get(), path);
}

Result<MappedFile> MappedFile::Map(int fd, const std::string& path) {
  const auto info = InfoOf(fd);
  if (!info) return SystemError(path);
  if (!info->is_regular()) {
    return Error{ErrorCode::kIo, path + " is not a regular file"};
  }
  if (info->size_bytes > kMaxObjectBytes) {
    return Error{ErrorCode::kLimit, path + " is larger than the address space"};
  }
  const auto size = static_cast<size_t>(info->size_bytes);
  if (size == 0) return MappedFile(nullptr, 0);
  const void* const data = MapToRead(fd, size);
  if (data == nullptr) return SystemError("cannot map " + path);
  return MappedFile(static_cast<const uint8_t*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) UnmapFile(data_, size_);
}

}  // namespace llma
