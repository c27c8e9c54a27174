// SPDX-License-Identifier: Apache-2.0
// The header of a frame, docs/FORMAT.md section 2: all that a decoder must know
// before the first coded byte. Not what the codes mean.
#ifndef LLMA_CONTAINER_FRAME_HEADER_H_
#define LLMA_CONTAINER_FRAME_HEADER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace llma {

inline constexpr std::array<uint8_t, 4> kFrameMagic = {0x89, 'l', 'm', 'a'};
inline constexpr uint8_t kFormatVersion = 0;

// Bounds of the fields, both ends included.
inline constexpr uint32_t kMaxLanes = 64;
inline constexpr uint64_t kMaxContentBytes = (uint64_t{1} << 48) - 1;
inline constexpr uint32_t kWindowGranularity = 16;
inline constexpr uint32_t kMaxWindowPositions = 1u << 20;
inline constexpr uint32_t kMaxIdValue = 65535;  // numerics_id, predictor_id
// Contents below this size have a checksum of 4 bytes, others of 8.
inline constexpr uint64_t kLongChecksumBytes = 65536;
// Content that context models predict is at most this large.
inline constexpr uint64_t kMaxContextContentBytes = uint64_t{1} << 31;
// Magic and version 5, kind 1, content size 7, checksum 8, check 1.
inline constexpr size_t kMaxStoredHeaderBytes = 22;

enum class ContentKind : uint8_t {
  kStored = 0,    // the payload is the content
  kCoded = 1,     // a binary arithmetic code; a language model predicts
  kContexts = 2,  // the same; the context models alone do
};

// Which context models take part in the predictions.
enum class ContextModels : uint8_t {
  kNone = 0,
  kLight = 1,
  kFull = 2,
};

struct FrameHeader {
  ContentKind kind = ContentKind::kStored;
  uint64_t content_bytes = 0;
  uint64_t checksum = 0;  // ContentChecksum() of the content

  // Of kCoded and kContexts; else 0. Not kNone in kContexts.
  uint32_t predictor_id = 0;
  ContextModels context_models = ContextModels::kNone;

  // Of kCoded only; else 0 and empty.
  uint32_t numerics_id = 0;
  std::array<uint8_t, 8> model_id{};  // of the model's fingerprint, the first
  // Positions that attention sees, a multiple of kWindowGranularity.
  uint32_t window_positions = 0;
  // Content bytes of each lane, none 0; their sum is content_bytes.
  std::vector<uint64_t> lane_bytes;

  bool operator==(const FrameHeader&) const = default;
};

// XXH3 of the content, as wide as its size asks for.
uint64_t ContentChecksum(Bytes content);

// True if the buffer starts like a file of ours.
bool HasFrameMagic(Bytes file);

// Whether a header can be written: the bounds and relations above.
Status CheckFrameHeader(const FrameHeader& header);

// Appends a header that CheckFrameHeader() accepts.
void WriteFrameHeader(const FrameHeader& header, ByteWriter& writer);

// Reads a header and leaves the reader at the payload. Every field is checked;
// what is returned passes CheckFrameHeader() and would be written with the
// same bytes. Whether the ids and the model are known is for the caller.
Result<FrameHeader> ParseFrameHeader(ByteReader& reader);

}  // namespace llma

#endif  // LLMA_CONTAINER_FRAME_HEADER_H_
