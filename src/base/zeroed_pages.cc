// SPDX-License-Identifier: Apache-2.0
#include "base/zeroed_pages.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <new>

#include "platform/machine/pages.h"

namespace llma {
namespace {

constexpr size_t kLargePage = size_t{2} << 20;

size_t RoundToPages(size_t size_bytes) {
  const size_t page_bytes = PageBytes();
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
  mapped_ = data_ = MapPages(mapped_bytes_);
  if (mapped_ == nullptr) throw std::bad_alloc();
  if (!is_large) {
    // Nor where the system would take large ones unasked.
    if (size_bytes >= kLargePage) WantSmallPages(data_, size_bytes);
    return;
  }
  const auto address = reinterpret_cast<uintptr_t>(mapped_);
  const size_t skip = (kLargePage - address % kLargePage) % kLargePage;
  data_ = static_cast<char*>(mapped_) + skip;
  WantLargePages(data_, size_bytes / kLargePage * kLargePage);  // whole ones
}

ZeroedPages::~ZeroedPages() {
  if (mapped_ == nullptr) return;
  if (cache_ != nullptr) {
    cache_->Give({mapped_, mapped_bytes_});
  } else {
    UnmapPages(mapped_, mapped_bytes_);
  }
}

void CopyToZeros(void* zeros, const void* from, size_t size_bytes) {
  constexpr size_t kPart = 4096;
  static constexpr uint8_t kZeros[kPart] = {};
  for (size_t i = 0; i < size_bytes; i += kPart) {
    const size_t size = std::min(kPart, size_bytes - i);
    const uint8_t* part = static_cast<const uint8_t*>(from) + i;
    if (std::memcmp(part, kZeros, size) == 0) continue;
    std::memcpy(static_cast<uint8_t*>(zeros) + i, part, size);
  }
}

}  // namespace llma
