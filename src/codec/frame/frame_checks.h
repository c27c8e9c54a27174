// SPDX-License-Identifier: Apache-2.0
// What every kind of frame is checked for, and how its progress is reported.
#ifndef LLMA_CODEC_FRAME_CHECKS_H_
#define LLMA_CODEC_FRAME_CHECKS_H_

#include <algorithm>
#include <string>

#include "base/machine_limits.h"
#include "base/status.h"
#include "codec/callbacks.h"
#include "coder/binary_coder.h"

namespace llma {

// What a thread of a pool takes beside its buffers: of its stack, and of what
// the allocator keeps for it.
inline constexpr uint64_t kBytesPerThread = 256 << 10;

// An error if the callback, which may be empty, wants no more.
inline Status ReportProgress(const ProgressCallback& callback,
                             const CodecProgress& progress) {
  if (!callback || callback(progress)) return OkStatus();
  return Error{ErrorCode::kCancelled, "cancelled"};
}

inline Status CheckMemory(uint64_t needed_bytes, uint64_t max_memory_bytes) {
  // Then each part of it has a size that fits a size_t.
  if (needed_bytes <= std::min(max_memory_bytes, kMaxObjectBytes)) {
    return OkStatus();
  }
  return Error{ErrorCode::kLimit, "needs " +
                                      std::to_string(needed_bytes >> 20) +
                                      " MiB of memory, more than is allowed"};
}

inline Status CheckNotTruncated(const BinaryDecoder& coder) {
  if (!coder.IsTruncated()) return OkStatus();
  return Error{ErrorCode::kTruncated, "the code is too short"};
}

// After the last decision.
inline Status CheckEndOfCode(const BinaryDecoder& coder) {
  if (coder.IsAtCanonicalEnd()) return OkStatus();
  return Error{ErrorCode::kCorrupt, "the code does not end where it should"};
}

}  // namespace llma

#endif  // LLMA_CODEC_FRAME_CHECKS_H_
