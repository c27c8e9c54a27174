// SPDX-License-Identifier: Apache-2.0
// For tests: memory that runs out. Replaces operator new, so one file of a
// program includes it.
#ifndef LLMA_BASE_TESTING_FAILING_NEW_H_
#define LLMA_BASE_TESTING_FAILING_NEW_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <new>

namespace llma {

// The allocations that fail: none, or those from number `first_failing` on, or
// that one alone.
inline constexpr int64_t kNeverFails = INT64_MAX;
inline std::atomic<int64_t> num_allocations{0};
inline std::atomic<int64_t> first_failing{kNeverFails};
inline std::atomic<bool> fails_once{false};

// What a test itself needs does not fail.
class Unlimited {
 public:
  Unlimited() : saved_(first_failing.exchange(kNeverFails)) {}
  ~Unlimited() { first_failing = saved_; }

 private:
  const int64_t saved_;
};

inline void* AllocateOrFail(size_t size_bytes) {
  const int64_t number = num_allocations.fetch_add(1);
  const int64_t first = first_failing.load();
  if (number == first || (number > first && !fails_once.load())) return nullptr;
  return std::malloc(size_bytes > 0 ? size_bytes : 1);
}

inline void* AllocateOrThrow(size_t size_bytes) {
  void* memory = AllocateOrFail(size_bytes);
  if (memory == nullptr) throw std::bad_alloc();
  return memory;
}

}  // namespace llma

void* operator new(size_t size_bytes) {
  return llma::AllocateOrThrow(size_bytes);
}
void* operator new[](size_t size_bytes) {
  return llma::AllocateOrThrow(size_bytes);
}
void* operator new(size_t size_bytes, const std::nothrow_t&) noexcept {
  return llma::AllocateOrFail(size_bytes);
}
void* operator new[](size_t size_bytes, const std::nothrow_t&) noexcept {
  return llma::AllocateOrFail(size_bytes);
}
void operator delete(void* memory) noexcept { std::free(memory); }
void operator delete[](void* memory) noexcept { std::free(memory); }
void operator delete(void* memory, size_t) noexcept { std::free(memory); }
void operator delete[](void* memory, size_t) noexcept { std::free(memory); }

#endif  // LLMA_BASE_TESTING_FAILING_NEW_H_
