// SPDX-License-Identifier: Apache-2.0
// What a file may say about its source: a skippable frame before the first
// content frame of a member (docs/FORMAT.md section 5.1).
#ifndef LLMA_CONTAINER_SOURCE_INFO_H_
#define LLMA_CONTAINER_SOURCE_INFO_H_

#include <cstdint>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "container/frame_header.h"

namespace llma {

// Types of skippable frames. From kFirstUserType on they belong to users.
inline constexpr uint32_t kSourceInfoType = 1;
inline constexpr uint32_t kFirstUserType = 128;

inline constexpr size_t kMaxSourceNameBytes = 4096;
inline constexpr size_t kMaxSourceInfoBytes = kMaxSourceNameBytes + 32;

struct SourceInfo {
  std::string name;           // without folders
  uint32_t mode = 0;          // permission bits of POSIX, at most 07777
  int64_t mtime_seconds = 0;  // since 1970, UTC
  uint32_t mtime_nanoseconds = 0;
  bool operator==(const SourceInfo&) const = default;
};

// A name that is safe to create in the current folder.
bool IsPlainFileName(const std::string& name);

// A skippable frame.
struct SourceInfoFrame {
  FrameHeader header;
  std::vector<uint8_t> payload;
};
// The name must be plain.
SourceInfoFrame MakeSourceInfoFrame(const SourceInfo& info);
Result<SourceInfo> ParseSourceInfo(Bytes payload);

}  // namespace llma

#endif  // LLMA_CONTAINER_SOURCE_INFO_H_
