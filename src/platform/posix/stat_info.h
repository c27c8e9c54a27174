// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_PLATFORM_POSIX_STAT_INFO_H_
#define LLMA_PLATFORM_POSIX_STAT_INFO_H_

#include <sys/stat.h>

#include "platform/file_info.h"

namespace llma {

// mode: its type, whatever else it has.
FileKind KindOfMode(mode_t mode);
FileInfo ToFileInfo(const struct stat& info);

}  // namespace llma

#endif  // LLMA_PLATFORM_POSIX_STAT_INFO_H_
