/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before the C library: gives a process no more than
 * $LLMA_TEST_THREADS threads besides the first. At its end it writes how many
 * threads the process asked for, and the most KiB of memory that it had, into
 * $LLMA_TEST_LOG. */
#define _GNU_SOURCE

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static atomic_int num_asked;

typedef int create_fn(pthread_t *, const pthread_attr_t *, void *(*)(void *),
                      void *);

int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                   void *(*start)(void *), void *argument) {
  const int number = atomic_fetch_add(&num_asked, 1) + 1;
  const char *most = getenv("LLMA_TEST_THREADS");
  create_fn *create = (create_fn *)dlsym(RTLD_NEXT, "pthread_create");
  if (most != NULL && number > atoi(most)) return EAGAIN;
  return create(thread, attributes, start, argument);
}

__attribute__((destructor)) static void tell(void) {
  const char *path = getenv("LLMA_TEST_LOG");
  FILE *log = path == NULL ? NULL : fopen(path, "w");
  if (log == NULL) return;
  /* getrusage() would count what the parent had, too. */
  FILE *status = fopen("/proc/self/status", "r");
  char line[256];
  long peak_kib = 0;
  while (status != NULL && fgets(line, sizeof(line), status) != NULL) {
    sscanf(line, "VmHWM: %ld", &peak_kib);
  }
  if (status != NULL) fclose(status);
  fprintf(log, "%d %ld\n", num_asked, peak_kib);
  fclose(log);
}
