// SPDX-License-Identifier: Apache-2.0
#include "container/frame_index.h"

#include <algorithm>

#include "container/content_limit.h"

namespace llma {
namespace {

Error CorruptIndex(const char* what) {
  return Error{ErrorCode::kCorrupt, what, Error::kNoOffset};
}

}  // namespace

Error TooManyFrames(uint64_t num_frames, uint64_t frame_ofs) {
  return Error{ErrorCode::kLimit,
               std::to_string(num_frames) +
                   " frames: their index takes more memory than is allowed",
               frame_ofs};
}

void IndexBuilder::Add(Bytes header_bytes, const FrameHeader& header) {
  entries_.push_back(
      {header_bytes.size() + header.payload_bytes, header.content_bytes});
  headers_.Update(header_bytes);
  if (header.has_content()) ++num_content_frames_;
  frames_bytes_ += entries_.back().frame_bytes;
}

std::vector<uint8_t> WriteIndexFrame(const FrameIndex& index) {
  ByteWriter payload;
  payload.StoreVarint(index.entries.size());
  for (const IndexEntry& entry : index.entries) {
    payload.StoreVarint(entry.frame_bytes);
    payload.StoreVarint(entry.content_bytes);
  }
  payload.StoreU64(index.headers_xxh3);
  FrameHeader header;
  header.kind = FrameKind::kIndex;
  header.is_last = true;
  header.payload_bytes = payload.size() + kIndexFooterBytes;
  // The footer holds the size of the header, which its checksum does not
  // change.
  payload.StoreU32(
      static_cast<uint32_t>(HeaderBytes(header).size() + header.payload_bytes));
  payload.StoreBytes(kIndexMagic);
  header.checksum = Checksum(payload.bytes());
  ByteWriter frame;
  WriteFrameHeader(header, frame);
  frame.StoreBytes(payload.bytes());
  return std::move(frame).TakeBytes();
}

Result<FrameIndex> ParseIndex(Bytes payload, uint64_t frame_bytes) {
  if (payload.size() < kIndexFooterBytes ||
      IndexFrameBytes(payload) != frame_bytes) {
    return CorruptIndex("the index has a wrong end");
  }
  ByteReader reader(payload.first(payload.size() - kIndexFooterBytes));
  LLMA_ASSIGN(const uint64_t num_entries, reader.LoadVarint());
  // An entry has at least two bytes.
  if (num_entries > kMaxIndexEntries || num_entries > reader.remaining() / 2) {
    return CorruptIndex("the index has too many entries");
  }
  FrameIndex index;
  uint64_t all_content_bytes = 0;
  index.entries.reserve(static_cast<size_t>(num_entries));
  for (uint64_t i = 0; i < num_entries; ++i) {
    LLMA_ASSIGN(const uint64_t entry_bytes, reader.LoadVarint());
    LLMA_ASSIGN(const uint64_t content_bytes, reader.LoadVarint());
    if (entry_bytes < kMinFrameBytes) {
      return CorruptIndex("a size in the index is too small");
    }
    if (entry_bytes > kMaxPayloadBytes + kMaxFrameHeaderBytes ||
        content_bytes > kMaxContentBytes ||
        content_bytes > kMaxFileContentBytes - all_content_bytes) {
      return CorruptIndex("a size in the index is too large");
    }
    all_content_bytes += content_bytes;
    index.entries.push_back({entry_bytes, content_bytes});
  }
  LLMA_ASSIGN(index.headers_xxh3, reader.LoadU64());
  if (reader.remaining() != 0) return CorruptIndex("the index is too long");
  return index;
}

uint64_t IndexFrameBytes(Bytes footer) {
  if (footer.size() < kIndexFooterBytes) return 0;
  ByteReader reader(footer.last(kIndexFooterBytes));
  const uint32_t frame_bytes = *reader.LoadU32();
  const Bytes magic = *reader.Take(kIndexMagic.size());
  return std::equal(magic.begin(), magic.end(), kIndexMagic.begin())
             ? frame_bytes
             : 0;
}

}  // namespace llma
