// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_IMPORTER_CONVERT_UNSUPPORTED_H_
#define LLMA_IMPORTER_CONVERT_UNSUPPORTED_H_

#include <string>
#include <utility>

#include "base/status.h"

namespace llma {

// What a source has and import does not read.
inline Error Unsupported(std::string what) {
  return Error{ErrorCode::kUnsupported, std::move(what)};
}

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_UNSUPPORTED_H_
