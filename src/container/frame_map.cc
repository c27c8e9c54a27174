// SPDX-License-Identifier: Apache-2.0
#include "container/frame_map.h"

#include <algorithm>

#include "container/content_limit.h"
#include "container/frame_index.h"

namespace llma {
namespace {

// The index that ends at `end`, and where its frame starts; nothing if there is
// none.
struct FoundIndex {
  FrameIndex index;
  uint64_t start;
};

// A location, as the vector of them grows, and what the index said of it.
constexpr uint64_t kMemoryPerFrame = 128;
// What a byte of an index becomes: two are an entry.
constexpr uint64_t kMemoryPerIndexByte = 1 + sizeof(IndexEntry) / 2;
constexpr uint64_t kFreeIndexBytes = 16 << 10;

Result<std::optional<FoundIndex>> FindIndexBefore(const RandomAccess& file,
                                                  uint64_t end,
                                                  uint64_t max_memory_bytes) {
  const std::optional<FoundIndex> nothing;
  if (end < kIndexFooterBytes) return nothing;
  LLMA_ASSIGN(const std::vector<uint8_t> footer,
              file.ReadAt(end - kIndexFooterBytes, kIndexFooterBytes));
  const uint64_t frame_bytes = IndexFrameBytes(footer);
  if (frame_bytes == 0 || frame_bytes > end ||
      frame_bytes > kMaxIndexPayloadBytes + kMaxFrameHeaderBytes) {
    return nothing;
  }
  if (frame_bytes > kFreeIndexBytes + max_memory_bytes / kMemoryPerIndexByte) {
    return Error{ErrorCode::kLimit,
                 "an index of " + std::to_string(frame_bytes) +
                     " bytes takes more memory than is allowed",
                 end - frame_bytes};
  }
  LLMA_ASSIGN(const std::vector<uint8_t> frame,
              file.ReadAt(end - frame_bytes, frame_bytes));
  ByteReader reader(frame);
  const auto header = ParseFrameHeader(reader);
  if (!header || header->kind != FrameKind::kIndex ||
      header->payload_bytes != reader.remaining()) {
    return nothing;
  }
  const Bytes payload = *reader.Take(reader.remaining());
  if (Checksum(payload) != header->checksum) return nothing;
  auto index = ParseIndex(payload, frame_bytes);
  if (!index) return nothing;
  return std::optional<FoundIndex>({*std::move(index), end - frame_bytes});
}

constexpr uint64_t kStepBytes = 1 << 20;

bool IsZero(uint8_t byte) { return byte == 0; }

// The size without zeros at the end.
Result<uint64_t> EndBeforeZeros(const RandomAccess& file) {
  // Mostly there are none.
  uint64_t step_bytes = 1;
  for (uint64_t end = file.file_bytes; end > 0;) {
    const uint64_t size = std::min(step_bytes, end);
    LLMA_ASSIGN(const std::vector<uint8_t> part, file.ReadAt(end - size, size));
    const auto last = std::find_if_not(part.rbegin(), part.rend(), IsZero);
    end -= static_cast<uint64_t>(last - part.rbegin());
    if (last != part.rend() || part.size() < size) return end;
    step_bytes = kStepBytes;
  }
  return uint64_t{0};
}

}  // namespace

Result<bool> IsZeroFrom(const RandomAccess& file, uint64_t ofs) {
  LLMA_ASSIGN(const uint64_t end, EndBeforeZeros(file));
  return end <= ofs;
}

RandomAccess InMemory(Bytes file) {
  return {file.size(), [file](uint64_t ofs, uint64_t size) {
            const auto start =
                static_cast<size_t>(std::min<uint64_t>(ofs, file.size()));
            const Bytes part =
                file.subspan(start, static_cast<size_t>(std::min<uint64_t>(
                                        size, file.size() - start)));
            return Result(std::vector<uint8_t>(part.begin(), part.end()));
          }};
}

Result<FrameHeader> ReadFrameHeader(const RandomAccess& file,
                                    uint64_t frame_ofs, size_t* header_bytes) {
  LLMA_ASSIGN(const std::vector<uint8_t> start,
              file.ReadAt(frame_ofs, kMaxFrameHeaderBytes));
  ByteReader reader(start);
  auto header = ParseFrameHeader(reader);
  if (!header) {
    Error error = header.error();
    if (error.offset != Error::kNoOffset) error.offset += frame_ofs;
    if (error.code == ErrorCode::kTruncated)
      error.what = "the file is truncated";
    return error;
  }
  if (header_bytes != nullptr) *header_bytes = reader.offset();
  return header;
}

Result<std::optional<FrameMap>> MapFramesByIndex(const RandomAccess& file,
                                                 uint64_t max_memory_bytes) {
  FrameMap map;
  // Backwards; offsets in the content follow.
  LLMA_ASSIGN(uint64_t end, EndBeforeZeros(file));
  while (end > 0) {
    LLMA_ASSIGN(const auto found, FindIndexBefore(file, end, max_memory_bytes));
    if (!found) return std::optional<FrameMap>();
    uint64_t ofs = found->start;
    const auto& entries = found->index.entries;
    if (map.frames.size() + entries.size() >
        kFreeIndexEntries + max_memory_bytes / kMemoryPerFrame) {
      return TooManyFrames(map.frames.size() + entries.size(), ofs);
    }
    for (auto entry = entries.rbegin(); entry != entries.rend(); ++entry) {
      if (entry->frame_bytes > ofs) return std::optional<FrameMap>();
      ofs -= entry->frame_bytes;
      map.frames.push_back({ofs, entry->frame_bytes, 0, entry->content_bytes});
    }
    ++map.num_members;
    end = ofs;
  }
  if (map.num_members == 0) return std::optional<FrameMap>();
  std::reverse(map.frames.begin(), map.frames.end());
  ContentLimit limit(kMaxFileContentBytes);
  for (FrameLocation& frame : map.frames) {
    if (!limit.Take(frame.content_bytes)) return std::optional<FrameMap>();
    frame.content_ofs = map.content_bytes;
    map.content_bytes += frame.content_bytes;
  }
  return std::optional<FrameMap>(std::move(map));
}

Result<FrameMap> MapFramesByHeaders(const RandomAccess& file,
                                    uint64_t max_memory_bytes) {
  FrameMap map;
  ContentLimit limit(kMaxFileContentBytes);
  bool is_complete = false;
  for (uint64_t ofs = 0; ofs < file.file_bytes;) {
    size_t header_bytes = 0;
    const auto found = ReadFrameHeader(file, ofs, &header_bytes);
    if (!found && is_complete) {
      LLMA_ASSIGN(const bool is_over, IsZeroFrom(file, ofs));
      if (is_over) break;
    }
    if (!found) return found.error();
    const FrameHeader& header = *found;
    const uint64_t frame_bytes = header_bytes + header.payload_bytes;
    if (frame_bytes > file.file_bytes - ofs) {
      return Error{ErrorCode::kTruncated, "the file is truncated",
                   file.file_bytes};
    }
    if (header.kind != FrameKind::kIndex) {
      LLMA_TRY(limit.Take(header.content_bytes, ofs));
      if (map.frames.size() >=
          kFreeIndexEntries + max_memory_bytes / kMemoryPerFrame) {
        return TooManyFrames(map.frames.size(), ofs);
      }
      map.frames.push_back(
          {ofs, frame_bytes, map.content_bytes, header.content_bytes});
      map.content_bytes += header.content_bytes;
    }
    if (header.is_last) ++map.num_members;
    if (header.kind != FrameKind::kSkippable) is_complete = header.is_last;
    ofs += frame_bytes;
  }
  if (!is_complete) {
    return Error{ErrorCode::kTruncated, "the file is truncated",
                 file.file_bytes};
  }
  return map;
}

Result<FrameMap> MapFrames(const RandomAccess& file,
                           uint64_t max_memory_bytes) {
  LLMA_ASSIGN(auto by_index, MapFramesByIndex(file, max_memory_bytes));
  if (by_index) return *std::move(by_index);
  return MapFramesByHeaders(file, max_memory_bytes);
}

}  // namespace llma
