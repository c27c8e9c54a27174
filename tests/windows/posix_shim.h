/* SPDX-License-Identifier: Apache-2.0
 * What tests use of POSIX, by what Windows has. Included in front of each test.
 */
#ifndef LLMA_TESTS_WINDOWS_POSIX_SHIM_H_
#define LLMA_TESTS_WINDOWS_POSIX_SHIM_H_

#include <direct.h>
#include <io.h>
#include <stdlib.h>

static inline int setenv(const char *name, const char *value, int overwrite) {
  (void)overwrite;
  return _putenv_s(name, value);
}

static inline int unsetenv(const char *name) { return _putenv_s(name, ""); }

static inline char *mkdtemp(char *name) {
  return _mktemp(name) != NULL && _mkdir(name) == 0 ? name : NULL;
}

#endif /* LLMA_TESTS_WINDOWS_POSIX_SHIM_H_ */
