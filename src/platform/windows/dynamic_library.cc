// SPDX-License-Identifier: Apache-2.0
#include "platform/dynamic_library.h"

#include "platform/machine/windows/system.h"

namespace llma {

// From the system's folder alone, not from where the program happens to run.
void* LoadLibraryForEver(const char* name) {
  return ::LoadLibraryExW(ToWide(name).c_str(), nullptr,
                          LOAD_LIBRARY_SEARCH_SYSTEM32);
}

void* FindFunction(void* library, const char* name) {
  return reinterpret_cast<void*>(
      ::GetProcAddress(static_cast<HMODULE>(library), name));
}

}  // namespace llma
