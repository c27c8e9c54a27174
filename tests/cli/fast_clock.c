/* SPDX-License-Identifier: Apache-2.0
 * For LD_PRELOAD: time that only goes forward runs 1,000 times as fast, so
 * that work of a second lasts minutes. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <time.h>

typedef int clock_function(clockid_t, struct timespec *);

int clock_gettime(clockid_t id, struct timespec *now) {
  static clock_function *real;
  if (real == NULL) *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
  const int status = real(id, now);
  if (status == 0 && id == CLOCK_MONOTONIC) {
    const long long ns = 1000LL * now->tv_nsec;
    now->tv_sec = 1000 * now->tv_sec + ns / 1000000000;
    now->tv_nsec = ns % 1000000000;
  }
  return status;
}
