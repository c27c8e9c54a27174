// SPDX-License-Identifier: Apache-2.0
#include "platform/file_mapping.h"

#include "platform/windows/file_handle.h"

namespace llma {

const void* MapToRead(int fd, size_t size_bytes) {
  const HANDLE section =
      ::CreateFileMappingW(HandleOf(fd), nullptr, PAGE_READONLY, 0, 0, nullptr);
  const void* const data =
      section == nullptr
          ? nullptr
          : ::MapViewOfFile(section, FILE_MAP_READ, 0, 0, size_bytes);
  if (data == nullptr) SetErrno();
  if (section != nullptr) ::CloseHandle(section);
  return data;
}

void UnmapFile(const void* data, size_t /*size_bytes*/) {
  ::UnmapViewOfFile(data);
}

}  // namespace llma
