// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_BASE_VECTOR_SIZE_H_
#define LLMA_BASE_VECTOR_SIZE_H_

#include <cstddef>
#include <cstdint>
#include <new>

namespace llma {

// For a vector of so many T: throws std::bad_alloc, as other memory that there
// is not, where addresses have too few bits for them.
template <class T>
size_t VectorSize(uint64_t num_elements) {
  if (num_elements > uint64_t{PTRDIFF_MAX} / sizeof(T)) throw std::bad_alloc();
  return static_cast<size_t>(num_elements);
}

}  // namespace llma

#endif  // LLMA_BASE_VECTOR_SIZE_H_
