// SPDX-License-Identifier: Apache-2.0
// How much content a file may have: asked with what headers say, before any
// work on it begins.
#ifndef LLMA_CONTAINER_CONTENT_LIMIT_H_
#define LLMA_CONTAINER_CONTENT_LIMIT_H_

#include <algorithm>
#include <cstdint>
#include <string>

#include "base/status.h"

namespace llma {

// Sizes are added up in 64 bits; no file has as much content as this.
inline constexpr uint64_t kMaxFileContentBytes = uint64_t{1} << 62;

// Thread-compatible.
class ContentLimit {
 public:
  explicit ContentLimit(uint64_t max_bytes)
      : max_bytes_(std::min(max_bytes, kMaxFileContentBytes)) {}

  // More content is to come, of a frame at this offset; kLimit if that is too
  // much in sum.
  Status Take(uint64_t content_bytes, uint64_t frame_ofs = Error::kNoOffset) {
    if (content_bytes <= max_bytes_ - taken_bytes_) {
      taken_bytes_ += content_bytes;
      return OkStatus();
    }
    return Error{ErrorCode::kLimit,
                 "the content has more than " + std::to_string(max_bytes_) +
                     " bytes, which is the limit",
                 frame_ofs};
  }

 private:
  uint64_t max_bytes_, taken_bytes_ = 0;
};

}  // namespace llma

#endif  // LLMA_CONTAINER_CONTENT_LIMIT_H_
