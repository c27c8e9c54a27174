// SPDX-License-Identifier: Apache-2.0
// What all fuzzers use: the entry point, checks, and choices from an input.
#ifndef LLMA_TESTS_FUZZ_FUZZ_SUPPORT_H_
#define LLMA_TESTS_FUZZ_FUZZ_SUPPORT_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>

#include "base/bytes.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace llma {

[[noreturn]] inline void FuzzFail(const char* what, const char* file,
                                  int line) {
  std::fprintf(stderr, "%s:%d: not true: %s\n", file, line, what);
  std::abort();
}

// What must hold whatever the input is.
#define FUZZ_CHECK(cond) \
  ((cond) ? (void)0 : llma::FuzzFail(#cond, __FILE__, __LINE__))

// Reads an input from the front; after its end are zeros.
class FuzzInput {
 public:
  explicit FuzzInput(Bytes data) : data_(data) {}
  bool empty() const { return data_.empty(); }
  uint8_t TakeU8() {
    const Bytes byte = Take(1);
    return byte.empty() ? uint8_t{0} : byte[0];
  }
  uint16_t TakeU16() {
    const uint32_t low = TakeU8();
    return static_cast<uint16_t>(uint32_t{TakeU8()} << 8 | low);
  }
  // At most `size` bytes.
  Bytes Take(size_t size) {
    const Bytes taken = data_.first(std::min(size, data_.size()));
    data_ = data_.subspan(taken.size());
    return taken;
  }
  Bytes TakeRest() { return Take(data_.size()); }

 private:
  Bytes data_;
};

}  // namespace llma

#endif  // LLMA_TESTS_FUZZ_FUZZ_SUPPORT_H_
