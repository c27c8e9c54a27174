// SPDX-License-Identifier: Apache-2.0
// Large zeroed memory of its own, in large pages where the system has them:
// they save most of the address translation of what is read once a step.
#ifndef LLMA_BASE_ZEROED_PAGES_H_
#define LLMA_BASE_ZEROED_PAGES_H_

#include <cstddef>
#include <utility>

namespace llma {

// `size_bytes` zeros from a page's start on. Pages never touched cost no
// memory. Movable. Throws std::bad_alloc.
class ZeroedPages {
 public:
  ZeroedPages() = default;
  explicit ZeroedPages(size_t size_bytes);
  ~ZeroedPages();
  ZeroedPages(ZeroedPages&& other) noexcept { *this = std::move(other); }
  ZeroedPages& operator=(ZeroedPages&& other) noexcept {
    std::swap(mapped_, other.mapped_);
    std::swap(mapped_bytes_, other.mapped_bytes_);
    std::swap(data_, other.data_);
    return *this;
  }

  void* data() const { return data_; }

 private:
  void* mapped_ = nullptr;
  size_t mapped_bytes_ = 0;
  void* data_ = nullptr;
};

}  // namespace llma

#endif  // LLMA_BASE_ZEROED_PAGES_H_
