// SPDX-License-Identifier: Apache-2.0
// A file that models or adapters are imported from.
#ifndef LLMA_IMPORTER_SOURCE_FILE_H_
#define LLMA_IMPORTER_SOURCE_FILE_H_

#include <string>

#include "base/status.h"
#include "platform/mapped_file.h"

namespace llma {

// kUnsupported for what `git clone` leaves in the place of a large file.
Result<MappedFile> OpenSourceFile(const std::string& path);

}  // namespace llma

#endif  // LLMA_IMPORTER_SOURCE_FILE_H_
