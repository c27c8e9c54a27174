// SPDX-License-Identifier: Apache-2.0
// An array of zero bytes that costs nothing until it is touched: the system
// hands out its pages one by one, so tables may be larger than small content
// needs. Aligned to cache lines.
#ifndef LLMA_CM_ZEROED_ARRAY_H_
#define LLMA_CM_ZEROED_ARRAY_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <type_traits>

namespace llma::cm {

namespace internal {
struct FreeZeroed {
  void operator()(void* p) const;
};
// Throws std::bad_alloc. *first: where the aligned part begins.
std::unique_ptr<void, FreeZeroed> AllocateZeroed(size_t size_bytes,
                                                 void** first);
}  // namespace internal

// Movable. T is a plain type for which all bytes zero is a value.
template <class T>
class ZeroedArray {
  static_assert(std::is_trivially_copyable_v<T>);

 public:
  explicit ZeroedArray(size_t size) : size_(size) {
    void* first = nullptr;
    memory_ = internal::AllocateZeroed(size * sizeof(T), &first);
    data_ = static_cast<T*>(first);
  }
  T& operator[](size_t i) { return data_[i]; }
  const T& operator[](size_t i) const { return data_[i]; }
  size_t size() const { return size_; }

 private:
  std::unique_ptr<void, internal::FreeZeroed> memory_;
  T* data_;
  size_t size_;
};

}  // namespace llma::cm

#endif  // LLMA_CM_ZEROED_ARRAY_H_
