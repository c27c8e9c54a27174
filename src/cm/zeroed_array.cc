// SPDX-License-Identifier: Apache-2.0
#include "cm/zeroed_array.h"

#include <cstdlib>
#include <new>
#if defined(__linux__)
#include <sys/mman.h>
#endif

namespace llma::cm::internal {

void FreeZeroed::operator()(void* p) const { std::free(p); }

std::unique_ptr<void, FreeZeroed> AllocateZeroed(size_t size_bytes,
                                                 void** first) {
  constexpr size_t kLine = 64;
  std::unique_ptr<void, FreeZeroed> memory(std::calloc(size_bytes + kLine, 1));
  if (memory == nullptr) throw std::bad_alloc();
  const auto address = reinterpret_cast<uintptr_t>(memory.get());
  const size_t skip = (kLine - address % kLine) % kLine;
  auto* begin = static_cast<uint8_t*>(memory.get()) + skip;
#if defined(__linux__)
  // Large pages save most of the address translation; a refusal is harmless.
  constexpr size_t kPage = size_t{2} << 20;
  const size_t to_page = (kPage - (address + skip) % kPage) % kPage;
  if (size_bytes > to_page + 4 * kPage) {
    (void)madvise(begin + to_page, (size_bytes - to_page) / kPage * kPage,
                  MADV_HUGEPAGE);
  }
#endif
  *first = begin;
  return memory;
}

}  // namespace llma::cm::internal
