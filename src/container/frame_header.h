// SPDX-License-Identifier: Apache-2.0
// The header of a frame, docs/FORMAT.md section 2: all that a decoder must know
// before the first coded byte. Not what the codes mean.
#ifndef LLMA_CONTAINER_FRAME_HEADER_H_
#define LLMA_CONTAINER_FRAME_HEADER_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace llma {

inline constexpr std::array<uint8_t, 3> kFrameMagic = {0x89, 'l', 'm'};
inline constexpr uint8_t kFormatVersion = 1;

// Bounds of the fields, both ends included.
inline constexpr uint32_t kMaxLanes = 64;
inline constexpr uint64_t kMaxContentBytes = (uint64_t{1} << 48) - 1;
inline constexpr uint64_t kMaxPayloadBytes = kMaxContentBytes;
inline constexpr uint32_t kWindowGranularity = 16;
inline constexpr uint32_t kMaxWindowPositions = 1u << 20;
inline constexpr uint32_t kMaxIdValue = 65535;  // predictor, skippable type
// What is smaller than this has a checksum of 4 bytes, the rest of 8.
inline constexpr uint64_t kLongChecksumBytes = 65536;
// Content that context models predict, or that has repetitions, is at most
// this large.
inline constexpr uint64_t kMaxContextContentBytes = uint64_t{1} << 31;
// Nor is a reference.
inline constexpr uint64_t kMaxReferenceBytes = uint64_t{1} << 30;
// No header is longer.
inline constexpr size_t kMaxFrameHeaderBytes = 512;
// A frame that holds nothing and has no checksum.
inline constexpr size_t kMinFrameBytes = 7;
// Magic, version and kind 5, content size 7, checksum 8, check 1.
inline constexpr size_t kMaxStoredHeaderBytes = 21;

enum class FrameKind : uint8_t {
  kStored = 0,     // the payload is the content
  kCoded = 1,      // a binary arithmetic code; a language model predicts
  kContexts = 2,   // the same; the context models alone do
  kSkippable = 3,  // no content: what a decoder may leave out
  kIndex = 4,      // no content: the sizes of all frames before it
};

// Which context models take part in the predictions.
enum class ContextModels : uint8_t {
  kNone = 0,
  kLight = 1,
  kFull = 2,
};

using ModelId = std::array<uint8_t, 8>;  // the first bytes of a fingerprint

// A text that both sides read first, by what is known of it.
struct ReferenceId {
  uint64_t xxh3;
  uint64_t size_bytes;  // at least 1
  bool operator==(const ReferenceId&) const = default;
};

struct FrameHeader {
  FrameKind kind = FrameKind::kStored;
  // The last frame of a member: kIndex always; a content frame if it is the
  // only one.
  bool is_last = false;
  uint64_t content_bytes = 0;  // 0 of kSkippable and kIndex
  uint64_t payload_bytes = 0;
  // Of the content; of the payload of kSkippable and kIndex.
  bool has_checksum = true;
  uint64_t checksum = 0;  // Checksum(), or 0

  uint32_t skippable_type = 0;  // of kSkippable

  // Of kCoded and kContexts; else 0. Content that is coded as repetitions of
  // what is before it, less than all.
  uint64_t repeated_bytes = 0;
  // Of kCoded and kContexts; else 0. Not kNone in kContexts.
  uint32_t predictor_id = 0;
  ContextModels context_models = ContextModels::kNone;
  // Of kCoded and kContexts: what was read before the content.
  std::optional<ReferenceId> reference_id;

  // Of kCoded only; else 0 and empty.
  ModelId model_id{};
  // Positions that attention sees, a multiple of kWindowGranularity.
  uint32_t window_positions = 0;
  // Content bytes of each lane, none 0; their sum is predicted_bytes().
  std::vector<uint64_t> lane_bytes;

  bool has_content() const { return kind <= FrameKind::kContexts; }
  // What is coded byte by byte.
  uint64_t predicted_bytes() const { return content_bytes - repeated_bytes; }
  bool operator==(const FrameHeader&) const = default;
};

// XXH3 of a content or payload, as wide as its size asks for.
uint64_t Checksum(Bytes data);
// The part of `xxh3` that a content or payload of this size stores.
uint64_t NarrowChecksum(uint64_t xxh3, uint64_t size_bytes);

// True if the buffer starts like a frame.
bool HasFrameMagic(Bytes file);

// Whether a header can be written: the bounds and relations above.
Status CheckFrameHeader(const FrameHeader& header);

// Appends a header that CheckFrameHeader() accepts.
void WriteFrameHeader(const FrameHeader& header, ByteWriter& writer);
// Such a header as it stands in a file.
std::vector<uint8_t> HeaderBytes(const FrameHeader& header);

// Reads a header and leaves the reader at the payload. Every field is checked;
// what is returned passes CheckFrameHeader() and would be written with the
// same bytes. Whether the ids and the model are known is for the caller.
Result<FrameHeader> ParseFrameHeader(ByteReader& reader);

}  // namespace llma

#endif  // LLMA_CONTAINER_FRAME_HEADER_H_
