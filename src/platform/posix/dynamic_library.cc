// SPDX-License-Identifier: Apache-2.0
#include "platform/dynamic_library.h"

#include <dlfcn.h>

namespace llma {

void* LoadLibraryForEver(const char* name) {
  return ::dlopen(name, RTLD_NOW | RTLD_LOCAL);
}

void* FindFunction(void* library, const char* name) {
  return ::dlsym(library, name);
}

}  // namespace llma
