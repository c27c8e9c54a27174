// SPDX-License-Identifier: Apache-2.0
#include "base/zeroed_pages.h"

#include <sys/mman.h>

#include <cstdint>
#include <new>

namespace llma {
namespace {

constexpr size_t kLargePage = size_t{2} << 20;

}  // namespace

ZeroedPages::ZeroedPages(size_t size_bytes, PageSize page_size) {
  if (size_bytes == 0) return;
  if (size_bytes > SIZE_MAX - 2 * kLargePage) throw std::bad_alloc();
  const bool is_large =
      page_size == PageSize::kLarge && size_bytes >= kLargePage;
  mapped_bytes_ = size_bytes + (is_large ? kLargePage : 0);
  void* mapped = ::mmap(nullptr, mapped_bytes_, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (mapped == MAP_FAILED) throw std::bad_alloc();
  mapped_ = data_ = mapped;
  if (!is_large) {
#if defined(MADV_NOHUGEPAGE)
    // Nor where the system would take large ones unasked.
    if (size_bytes >= kLargePage) {
      (void)::madvise(data_, size_bytes, MADV_NOHUGEPAGE);
    }
#endif
    return;
  }
  const auto address = reinterpret_cast<uintptr_t>(mapped);
  const size_t skip = (kLargePage - address % kLargePage) % kLargePage;
  data_ = static_cast<char*>(mapped) + skip;
#if defined(MADV_HUGEPAGE)
  // Whole ones; a refusal is harmless.
  (void)::madvise(data_, size_bytes / kLargePage * kLargePage, MADV_HUGEPAGE);
#endif
}

ZeroedPages::~ZeroedPages() {
  if (mapped_ != nullptr) (void)::munmap(mapped_, mapped_bytes_);
}

}  // namespace llma
