// SPDX-License-Identifier: Apache-2.0
#include "platform/machine/pages.h"

#include <windows.h>

namespace llma {

size_t PageBytes() {
  static const size_t bytes = [] {
    SYSTEM_INFO info;
    ::GetSystemInfo(&info);
    return static_cast<size_t>(info.dwPageSize);
  }();
  return bytes;
}

void* MapPages(size_t size_bytes) {
  return ::VirtualAlloc(nullptr, size_bytes, MEM_RESERVE | MEM_COMMIT,
                        PAGE_READWRITE);
}

void UnmapPages(void* data, size_t) { ::VirtualFree(data, 0, MEM_RELEASE); }

// Large pages need a right that users do not have.
void WantLargePages(void*, size_t) {}
void WantSmallPages(void*, size_t) {}

bool ClearTouchedPages(void*, size_t) { return false; }

}  // namespace llma
