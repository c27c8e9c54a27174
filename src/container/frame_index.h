// SPDX-License-Identifier: Apache-2.0
// The index frame, docs/FORMAT.md section 4: the sizes of all frames of a
// member, after them, so that a reader finds one without reading the others
// and notices if one is missing, doubled or misplaced.
#ifndef LLMA_CONTAINER_FRAME_INDEX_H_
#define LLMA_CONTAINER_FRAME_INDEX_H_

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/status.h"
#include "container/frame_header.h"

namespace llma {

// A member has at most this many frames, so an index at most 352 MiB.
inline constexpr uint64_t kMaxIndexEntries = uint64_t{1} << 24;
// What an entry takes while an index is gathered, read or compared: its own
// vector as it grows, and the bytes of the index.
inline constexpr uint64_t kMemoryPerIndexEntry = 72;
inline constexpr uint64_t kFreeIndexEntries = 1 << 10;  // whatever is allowed
inline constexpr uint64_t kMaxIndexPayloadBytes = kMaxIndexEntries * 21 + 24;
// The last bytes of an index: its frame's size and these.
inline constexpr std::array<uint8_t, 4> kIndexMagic = {'l', 'm', 'i', 0x98};
inline constexpr size_t kIndexFooterBytes = 8;

struct IndexEntry {
  uint64_t frame_bytes;    // header and payload
  uint64_t content_bytes;  // 0 of a skippable frame
  bool operator==(const IndexEntry&) const = default;
};

struct FrameIndex {
  std::vector<IndexEntry> entries;
  uint64_t headers_xxh3 = 0;  // of all their headers, one after the other
  bool operator==(const FrameIndex&) const = default;
};

// Gathers what an index says, while frames are written or read.
class IndexBuilder {
 public:
  // `header_bytes`: as they stand in the file.
  void Add(Bytes header_bytes, const FrameHeader& header);
  FrameIndex index() const { return {entries_, headers_.Digest()}; }
  size_t num_frames() const { return entries_.size(); }
  uint64_t num_content_frames() const { return num_content_frames_; }
  uint64_t frames_bytes() const { return frames_bytes_; }  // of all

 private:
  std::vector<IndexEntry> entries_;
  Xxh3Stream headers_;
  uint64_t num_content_frames_ = 0;
  uint64_t frames_bytes_ = 0;
};

// The whole frame.
std::vector<uint8_t> WriteIndexFrame(const FrameIndex& index);

// `payload`: of an index frame, `frame_bytes` with its header.
Result<FrameIndex> ParseIndex(Bytes payload, uint64_t frame_bytes);

// kLimit: their index takes more memory than is allowed.
Error TooManyFrames(uint64_t num_frames, uint64_t frame_ofs);

// The size of the index frame that ends with these bytes, or 0.
uint64_t IndexFrameBytes(Bytes footer);

}  // namespace llma

#endif  // LLMA_CONTAINER_FRAME_INDEX_H_
