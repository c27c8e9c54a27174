// SPDX-License-Identifier: Apache-2.0
// An array of zero bytes that costs nothing until it is touched: the system
// hands out its pages one by one, so tables may be larger than small content
// needs. Aligned to cache lines.
#ifndef LLMA_CM_ZEROED_ARRAY_H_
#define LLMA_CM_ZEROED_ARRAY_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <type_traits>

#include "base/aligned_buffer.h"
#include "base/zeroed_pages.h"

namespace llma::cm {

// Content from here on makes use of most of what its tables have. Of less,
// large pages would cost more time than they save.
inline constexpr uint64_t kLargePagesContentBytes = 16 << 10;

// Where tables for content of this size get their pages.
inline PageSource PagesFor(uint64_t content_bytes, PageCache* cache) {
  return {content_bytes >= kLargePagesContentBytes ? PageSize::kLarge
                                                   : PageSize::kSmall,
          cache};
}

// Movable, and copied without the pages that are zero. T is a plain type for
// which all bytes zero is a value. Throws std::bad_alloc.
template <class T>
class ZeroedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  // source: its page size counts where there are at least kMinLargeBytes.
  ZeroedArray(uint64_t size, PageSource source)
      : source_(source), size_(static_cast<size_t>(size)) {
    if (size > SIZE_MAX / sizeof(T)) throw std::bad_alloc();
    if (size_ * sizeof(T) >= kMinPagesBytes) {
      if (size_ * sizeof(T) < kMinLargeBytes) {
        source.page_size = PageSize::kSmall;
      }
      pages_ = ZeroedPages(size_ * sizeof(T), source);
      data_ = static_cast<T*>(pages_.data());
    } else {
      few_ = AlignedBuffer<T>(size_);
      data_ = few_.data();
    }
  }
  // Of another size: the beginning, or zeros behind all.
  ZeroedArray(const ZeroedArray& other, uint64_t size, PageSource source)
      : ZeroedArray(size, source) {
    CopyToZeros(data_, other.data_, std::min(size_, other.size_) * sizeof(T));
  }
  ZeroedArray(const ZeroedArray& other)
      : ZeroedArray(other, other.size_, other.source_) {}
  ZeroedArray(ZeroedArray&&) noexcept = default;
  ZeroedArray& operator=(const ZeroedArray&) = delete;
  ZeroedArray& operator=(ZeroedArray&&) noexcept = default;
  ~ZeroedArray() = default;
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  size_t size() const { return size_; }
  PageSource source() const { return source_; }

 private:
  static constexpr size_t kMinPagesBytes = 32 << 10;
  static constexpr size_t kMinLargeBytes = size_t{8} << 20;

  PageSource source_;
  AlignedBuffer<T> few_;
  ZeroedPages pages_;
  T* data_;
  size_t size_;
};

}  // namespace llma::cm

#endif  // LLMA_CM_ZEROED_ARRAY_H_
