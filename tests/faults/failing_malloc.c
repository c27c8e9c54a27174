/* SPDX-License-Identifier: Apache-2.0 */
/* Preloaded into a program, lets one allocation of memory fail, or all from one
 * on, counted over all threads from main() on:
 *
 *     LLMA_FAIL_MALLOC=N      the Nth one
 *     LLMA_FAIL_MALLOC=N+     the Nth one and all that follow
 *     LLMA_COUNT_MALLOC=FILE  writes how many there were when the program ends
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t num, size_t size);
void *__libc_realloc(void *old, size_t size);
void *__libc_memalign(size_t alignment, size_t size);

static atomic_bool is_counting;
static atomic_ullong num_calls;
static unsigned long long failing;
static int fails_always;

static int fails(void) {
  if (!atomic_load(&is_counting)) return 0;
  const unsigned long long nth = atomic_fetch_add(&num_calls, 1) + 1;
  if (failing == 0 || nth < failing || (nth > failing && !fails_always)) {
    return 0;
  }
  errno = ENOMEM;
  return 1;
}

void *malloc(size_t size) { return fails() ? NULL : __libc_malloc(size); }

void *calloc(size_t num, size_t size) {
  return fails() ? NULL : __libc_calloc(num, size);
}

void *realloc(void *old, size_t size) {
  return fails() ? NULL : __libc_realloc(old, size);
}

void *memalign(size_t alignment, size_t size) {
  return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size) {
  return memalign(alignment, size);
}

int posix_memalign(void **place, size_t alignment, size_t size) {
  void *block = memalign(alignment, size);
  if (block == NULL) return ENOMEM;
  *place = block;
  return 0;
}

static void write_count(void) {
  const char *path = getenv("LLMA_COUNT_MALLOC");
  atomic_store(&is_counting, 0);
  if (path == NULL) return;
  const int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  char text[32];
  const int size =
      snprintf(text, sizeof(text), "%llu\n", atomic_load(&num_calls));
  if (fd < 0 || write(fd, text, (size_t)size) != size) _exit(3);
  close(fd);
}

static int (*program_main)(int, char **, char **);

static int counted_main(int argc, char **argv, char **environment) {
  const char *text = getenv("LLMA_FAIL_MALLOC");
  if (text != NULL) {
    failing = strtoull(text, NULL, 10);
    fails_always = strchr(text, '+') != NULL;
  }
  atexit(write_count);
  atomic_store(&is_counting, 1);
  return program_main(argc, argv, environment);
}

int __libc_start_main(int (*main_function)(int, char **, char **), int argc,
                      char **argv, void (*init)(void), void (*fini)(void),
                      void (*loader_fini)(void), void *stack_end) {
  typedef int (*start_function)(int (*)(int, char **, char **), int, char **,
                                void (*)(void), void (*)(void), void (*)(void),
                                void *);
  start_function start;
  *(void **)&start = dlsym(RTLD_NEXT, "__libc_start_main");
  program_main = main_function;
  return start(counted_main, argc, argv, init, fini, loader_fini, stack_end);
}
