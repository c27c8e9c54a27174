// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_PLATFORM_POSIX_UNINTERRUPTED_H_
#define LLMA_PLATFORM_POSIX_UNINTERRUPTED_H_

#include <cerrno>

namespace llma {

// A system call that is made again when a signal interrupts it.
template <class Call>
auto Uninterrupted(const Call& call) {
  for (;;) {
    const auto result = call();
    if (result >= 0 || errno != EINTR) return result;
  }
}

}  // namespace llma

#endif  // LLMA_PLATFORM_POSIX_UNINTERRUPTED_H_
