// SPDX-License-Identifier: Apache-2.0
#include "base/zeroed_pages.h"

#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <new>

namespace llma {
namespace {

constexpr size_t kLargePage = size_t{2} << 20;

size_t RoundToPages(size_t size_bytes) {
  static const auto page_bytes = static_cast<size_t>(::sysconf(_SC_PAGESIZE));
  return (size_bytes + page_bytes - 1) / page_bytes * page_bytes;
}

}  // namespace

ZeroedPages::ZeroedPages(size_t size_bytes, PageSource source) {
  if (size_bytes == 0) return;
  if (size_bytes > SIZE_MAX - 2 * kLargePage) throw std::bad_alloc();
  const bool is_large =
      source.page_size == PageSize::kLarge && size_bytes >= kLargePage;
  mapped_bytes_ = RoundToPages(size_bytes) + (is_large ? kLargePage : 0);
  if (source.cache != nullptr && !is_large) {
    cache_ = source.cache;
    const PageCache::Block kept = cache_->Take(mapped_bytes_);
    if (kept.data != nullptr) {
      mapped_ = data_ = kept.data;
      mapped_bytes_ = kept.size_bytes;
      return;
    }
  }
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
  if (mapped_ == nullptr) return;
  if (cache_ != nullptr) {
    cache_->Give({mapped_, mapped_bytes_});
  } else {
    (void)::munmap(mapped_, mapped_bytes_);
  }
}

}  // namespace llma
