// SPDX-License-Identifier: Apache-2.0
// Zeroed arrays aligned for vector loads. Pages that are never touched cost no
// memory, so generous sizes are cheap.
#ifndef LLMA_BASE_ALIGNED_BUFFER_H_
#define LLMA_BASE_ALIGNED_BUFFER_H_

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>
#include <type_traits>
#include <utility>

namespace llma {

inline constexpr size_t kVectorAlignment = 64;

// An array of `size` zeros. Movable. Throws std::bad_alloc.
template <class T>
class AlignedBuffer {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  AlignedBuffer() = default;
  explicit AlignedBuffer(size_t size) : size_(size) {
    if (size > (SIZE_MAX - kVectorAlignment) / sizeof(T))
      throw std::bad_alloc();
    // calloc gets fresh zero pages for large sizes without touching them.
    storage_.reset(std::calloc(1, size * sizeof(T) + kVectorAlignment));
    if (storage_ == nullptr) throw std::bad_alloc();
    const auto address = reinterpret_cast<uintptr_t>(storage_.get());
    data_ = reinterpret_cast<T*>((address + kVectorAlignment - 1) /
                                 kVectorAlignment * kVectorAlignment);
  }
  AlignedBuffer(AlignedBuffer&& other) noexcept { *this = std::move(other); }
  AlignedBuffer& operator=(AlignedBuffer&& other) noexcept {
    std::swap(storage_, other.storage_);
    std::swap(data_, other.data_);
    std::swap(size_, other.size_);
    return *this;
  }

  T* data() { return data_; }
  const T* data() const { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }

 private:
  struct Free {
    void operator()(void* p) const { std::free(p); }
  };
  std::unique_ptr<void, Free> storage_;
  T* data_ = nullptr;
  size_t size_ = 0;
};

}  // namespace llma

#endif  // LLMA_BASE_ALIGNED_BUFFER_H_
