// SPDX-License-Identifier: Apache-2.0
#include "platform/file_mapping.h"

#include <sys/mman.h>

namespace llma {

const void* MapToRead(int fd, size_t size_bytes) {
  void* const data = ::mmap(nullptr, size_bytes, PROT_READ, MAP_PRIVATE, fd, 0);
  return data == MAP_FAILED ? nullptr : data;
}

void UnmapFile(const void* data, size_t size_bytes) {
  ::munmap(const_cast<void*>(data), size_bytes);
}

}  // namespace llma
