// SPDX-License-Identifier: Apache-2.0
// Where the frames of a file stand, without reading their payloads.
#ifndef LLMA_CONTAINER_FRAME_MAP_H_
#define LLMA_CONTAINER_FRAME_MAP_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "container/frame_header.h"

namespace llma {

// A file of which any part can be read. ReadAt(offset, size) gives fewer bytes
// only at its end.
struct RandomAccess {
  uint64_t file_bytes = 0;
  std::function<Result<std::vector<uint8_t>>(uint64_t, uint64_t)> ReadAt;
};

// A file in memory, which must outlive it.
RandomAccess InMemory(Bytes file);

struct FrameLocation {
  uint64_t frame_ofs;
  uint64_t frame_bytes;
  uint64_t content_ofs;
  uint64_t content_bytes;
  bool operator==(const FrameLocation&) const = default;
};

struct FrameMap {
  std::vector<FrameLocation> frames;  // all but indexes, in order
  uint64_t content_bytes = 0;
  uint64_t num_members = 0;
};

// Zeros may follow the last member, as tapes and devices add them. Whether
// there is nothing else from `ofs` on.
Result<bool> IsZeroFrom(const RandomAccess& file, uint64_t ofs);

// The following are kLimit where there are so many frames that knowing them
// takes more than max_memory_bytes.

// By the indexes at the ends of members; nothing if they do not lead from the
// end of the file to its start.
Result<std::optional<FrameMap>> MapFramesByIndex(
    const RandomAccess& file, uint64_t max_memory_bytes = ~uint64_t{0});

// From header to header. An error if one is damaged or the file ends too early.
Result<FrameMap> MapFramesByHeaders(const RandomAccess& file,
                                    uint64_t max_memory_bytes = ~uint64_t{0});

// By index if possible.
Result<FrameMap> MapFrames(const RandomAccess& file,
                           uint64_t max_memory_bytes = ~uint64_t{0});

// A frame's header; `header_bytes`: its size, if not null.
Result<FrameHeader> ReadFrameHeader(const RandomAccess& file,
                                    uint64_t frame_ofs,
                                    size_t* header_bytes = nullptr);

}  // namespace llma

#endif  // LLMA_CONTAINER_FRAME_MAP_H_
