// SPDX-License-Identifier: Apache-2.0
// Callbacks of the C interface as the codec sees them.
#ifndef LLMA_API_API_READER_H_
#define LLMA_API_API_READER_H_

#include "api/api_error.h"
#include "container/frame_map.h"
#include "container/source_info.h"

namespace llma::api {

// Both must outlive the result.
Result<RandomAccess> Access(const llma_reader* reader);

// What the file says at its start.
std::optional<SourceInfo> PeekSourceInfo(const RandomAccess& file);

inline llma_source_info SourceOf(const std::optional<SourceInfo>& info) {
  if (!info) return {};
  return {0, info->name.c_str(), info->mode, info->mtime_seconds,
          info->mtime_nanoseconds};
}

}  // namespace llma::api

#endif  // LLMA_API_API_READER_H_
