// SPDX-License-Identifier: Apache-2.0
// What mapped_file.cc needs of the system.
#ifndef LLMA_PLATFORM_FILE_MAPPING_H_
#define LLMA_PLATFORM_FILE_MAPPING_H_

#include <cstddef>

namespace llma {

// The start of an open file, in memory; size_bytes > 0. Null, and errno, if
// that fails.
const void* MapToRead(int fd, size_t size_bytes);
void UnmapFile(const void* data, size_t size_bytes);

}  // namespace llma

#endif  // LLMA_PLATFORM_FILE_MAPPING_H_
