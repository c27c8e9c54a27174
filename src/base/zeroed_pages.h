// SPDX-License-Identifier: Apache-2.0
// Large zeroed memory of its own, whose pages the system hands out as they are
// touched. malloc() would not do: what it gets back it keeps, and calloc() then
// writes zeros over all of it, touched or not.
#ifndef LLMA_BASE_ZEROED_PAGES_H_
#define LLMA_BASE_ZEROED_PAGES_H_

#include <cstddef>
#include <utility>

#include "base/page_cache.h"

namespace llma {

// Large pages, where the system has them, save most of the address translation
// of what is read all over again and again. But the first touch clears two
// megabytes, so they are for memory that will be used as a whole.
enum class PageSize { kSmall, kLarge };

// Which pages memory gets, and whence.
struct PageSource {
  PageSource(PageSize size, PageCache* page_cache = nullptr)  // NOLINT
      : page_size(size), cache(page_cache) {}
  PageSize page_size;
  // Asked first, and given back to, where pages are small; may be null.
  PageCache* cache;
};

// `size_bytes` zeros from a page's start on. Pages never touched cost no
// memory and next to no time. Movable. Throws std::bad_alloc.
class ZeroedPages {
 public:
  ZeroedPages() = default;
  ZeroedPages(size_t size_bytes, PageSource source);
  ~ZeroedPages();
  ZeroedPages(ZeroedPages&& other) noexcept { *this = std::move(other); }
  ZeroedPages& operator=(ZeroedPages&& other) noexcept {
    std::swap(mapped_, other.mapped_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(data_, other.data_);
    std::swap(cache_, other.cache_);
    return *this;
  }

  void* data() const { return data_; }

 private:
  void* mapped_ = nullptr;
  size_t mapped_bytes_ = 0;
  void* data_ = nullptr;
  PageCache* cache_ = nullptr;  // that gets it back
};

// Copies `size_bytes` to zeros, without touching pages that stay zero.
void CopyToZeros(void* zeros, const void* from, size_t size_bytes);

}  // namespace llma

#endif  // LLMA_BASE_ZEROED_PAGES_H_
