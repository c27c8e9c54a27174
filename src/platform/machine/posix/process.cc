// SPDX-License-Identifier: Apache-2.0
#include "platform/machine/process.h"

#include <pthread.h>
#include <unistd.h>
#if defined(__APPLE__)
#include <stdlib.h>  // arc4random_buf
#else
#include <sys/random.h>
#endif

#include <chrono>
#include <cstdlib>

namespace llma {

int64_t ProcessId() { return ::getpid(); }

void CallAroundForks(void (*before)(), void (*after)()) {
  ::pthread_atfork(before, after, after);
}

std::string Environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void SetEnvironment(const char* name, const std::string& value) {
  ::setenv(name, value.c_str(), 1);
}

uint64_t RandomNumber() {
  uint64_t number = 0;
#if defined(__APPLE__)
  ::arc4random_buf(&number, sizeof(number));
#else
#if defined(__linux__)
  const bool is_random = ::getrandom(&number, sizeof(number), GRND_NONBLOCK) ==
                         static_cast<ssize_t>(sizeof(number));
#else
  const bool is_random = ::getentropy(&number, sizeof(number)) == 0;
#endif
  if (!is_random) {
    static uint64_t count = 0;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    number = static_cast<uint64_t>(now.count()) ^
             (static_cast<uint64_t>(::getpid()) << 40) ^ (++count << 20);
  }
#endif
  return number;
}

}  // namespace llma
