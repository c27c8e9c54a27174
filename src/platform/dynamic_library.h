// SPDX-License-Identifier: Apache-2.0
// Libraries that a program does without where they are not installed.
#ifndef LLMA_PLATFORM_DYNAMIC_LIBRARY_H_
#define LLMA_PLATFORM_DYNAMIC_LIBRARY_H_

namespace llma {

// Stays until the process ends, for what it made may refer to it. Null if it
// cannot be loaded.
void* LoadLibraryForEver(const char* name);
// A function of it; null if it has none of this name.
void* FindFunction(void* library, const char* name);

}  // namespace llma

#endif  // LLMA_PLATFORM_DYNAMIC_LIBRARY_H_
