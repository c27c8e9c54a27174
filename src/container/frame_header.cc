// SPDX-License-Identifier: Apache-2.0
#include "container/frame_header.h"

#include <algorithm>
#include <string>

#include "base/checksum.h"
#include "container/crc8.h"

namespace llma {
namespace {

// The byte of kind and flags.
constexpr uint8_t kKindMask = 0x07;
constexpr uint8_t kIsLast = 0x08;
constexpr uint8_t kHasNoChecksum = 0x10;
constexpr uint8_t kHasReference = 0x20;
constexpr uint8_t kHasRepetitions = 0x40;
constexpr uint8_t kReservedFlags = 0x80;

// The byte of context models and lanes: bits 0 and 1, bits 2 to 7.
constexpr int kModelsBits = 2;
constexpr uint8_t kModelsMask = (1 << kModelsBits) - 1;
static_assert((kMaxLanes - 1) >> (8 - kModelsBits) == 0);

// What the checksum is of.
uint64_t CheckedBytes(const FrameHeader& header) {
  return header.has_content() ? header.content_bytes : header.payload_bytes;
}

Error Corrupt(std::string what, uint64_t offset = Error::kNoOffset) {
  return Error{ErrorCode::kCorrupt, std::move(what), offset};
}

// A varint that is at most `max`.
Result<uint64_t> LoadBounded(ByteReader& reader, uint64_t max,
                             const char* name) {
  const uint64_t offset = reader.offset();
  LLMA_ASSIGN(const uint64_t value, reader.LoadVarint());
  if (value > max) {
    return Corrupt(std::string("the ") + name + " in the header is too large",
                   offset);
  }
  return value;
}

template <size_t kSize>
Status LoadArray(ByteReader& reader, std::array<uint8_t, kSize>& array) {
  LLMA_ASSIGN(const Bytes bytes, reader.Take(kSize));
  std::copy(bytes.begin(), bytes.end(), array.begin());
  return OkStatus();
}

Status CheckLanes(const FrameHeader& header) {
  if (header.lane_bytes.empty() || header.lane_bytes.size() > kMaxLanes) {
    return Corrupt("the number of lanes is out of bounds");
  }
  uint64_t left = header.predicted_bytes();
  for (const uint64_t size : header.lane_bytes) {
    if (size == 0 || size > left) {
      return Corrupt("the sizes of the lanes do not fit the content");
    }
    left -= size;
  }
  if (left != 0) return Corrupt("the lanes are smaller than the content");
  return OkStatus();
}

// Content that is not stored.
Status CheckPrediction(const FrameHeader& header) {
  if (header.predictor_id > kMaxIdValue) {
    return Corrupt("the predictor id is out of bounds");
  }
  if (header.context_models > ContextModels::kFull) {
    return Corrupt("the context models are unknown");
  }
  if (header.repeated_bytes > 0 &&
      header.repeated_bytes >= header.content_bytes) {
    return Corrupt("all of the content is repetitions");
  }
  if (header.reference_id &&
      (header.reference_id->size_bytes == 0 ||
       header.reference_id->size_bytes > kMaxReferenceBytes)) {
    return Corrupt("the size of the reference is out of bounds");
  }
  if ((header.context_models != ContextModels::kNone ||
       header.repeated_bytes > 0 || header.reference_id) &&
      header.content_bytes > kMaxContextContentBytes) {
    return Corrupt(
        "the content is too large for context models or repetitions");
  }
  if (header.payload_bytes >= header.content_bytes) {
    return Corrupt("the code is not smaller than its content");
  }
  if (header.kind == FrameKind::kContexts) {
    return header.context_models != ContextModels::kNone
               ? OkStatus()
               : Status(Corrupt("there are no context models"));
  }
  if (header.window_positions == 0 ||
      header.window_positions > kMaxWindowPositions ||
      header.window_positions % kWindowGranularity != 0) {
    return Corrupt("the window is out of bounds");
  }
  return CheckLanes(header);
}

// The header without the fields that its kind does not have.
FrameHeader OnlyOwnFields(const FrameHeader& header) {
  FrameHeader own;
  own.kind = header.kind;
  own.is_last = header.is_last;
  own.payload_bytes = header.payload_bytes;
  own.has_checksum = header.has_checksum;
  own.checksum = header.checksum;
  if (header.has_content()) {
    own.content_bytes = header.content_bytes;
  }
  if (header.kind == FrameKind::kSkippable) {
    own.skippable_type = header.skippable_type;
  }
  if (header.kind == FrameKind::kCoded || header.kind == FrameKind::kContexts) {
    own.repeated_bytes = header.repeated_bytes;
    own.predictor_id = header.predictor_id;
    own.context_models = header.context_models;
    own.reference_id = header.reference_id;
  }
  if (header.kind == FrameKind::kCoded) {
    own.model_id = header.model_id;
    own.window_positions = header.window_positions;
    own.lane_bytes = header.lane_bytes;
  }
  return own;
}

Result<ContextModels> ToContextModels(uint8_t value, uint64_t offset) {
  if (value > static_cast<uint8_t>(ContextModels::kFull)) {
    return Error{ErrorCode::kUnsupported,
                 "context models " + std::to_string(value) +
                     " are not known to this version: a newer one may",
                 offset};
  }
  return static_cast<ContextModels>(value);
}

Status ParsePredictorId(ByteReader& reader, FrameHeader& header) {
  LLMA_ASSIGN(const uint64_t id,
              LoadBounded(reader, kMaxIdValue, "predictor id"));
  header.predictor_id = static_cast<uint32_t>(id);
  return OkStatus();
}

// The fields of kCoded, after the sizes.
Status ParseCodedFields(ByteReader& reader, FrameHeader& header) {
  LLMA_TRY(ParsePredictorId(reader, header));
  LLMA_TRY(LoadArray(reader, header.model_id));
  LLMA_ASSIGN(const uint64_t window,
              LoadBounded(reader, kMaxWindowPositions / kWindowGranularity - 1,
                          "window"));
  header.window_positions =
      (static_cast<uint32_t>(window) + 1) * kWindowGranularity;
  LLMA_ASSIGN(const uint8_t models_and_lanes, reader.LoadU8());
  LLMA_ASSIGN(
      header.context_models,
      ToContextModels(models_and_lanes & kModelsMask, reader.offset() - 1));
  // The last lane has what is left.
  uint64_t left = header.predicted_bytes();
  for (int i = models_and_lanes >> kModelsBits; i > 0; --i) {
    LLMA_ASSIGN(const uint64_t size, LoadBounded(reader, left, "lane size"));
    header.lane_bytes.push_back(size);
    left -= size;
  }
  header.lane_bytes.push_back(left);
  return OkStatus();
}

// After the sizes.
Status ParseRepeatedBytes(ByteReader& reader, FrameHeader& header) {
  if (header.content_bytes == 0) {
    return Corrupt("an empty content has no repetitions", reader.offset());
  }
  LLMA_ASSIGN(
      header.repeated_bytes,
      LoadBounded(reader, header.content_bytes - 1, "size of repetitions"));
  if (header.repeated_bytes > 0) return OkStatus();
  return Corrupt("the size of repetitions is 0", reader.offset() - 1);
}

Status ParseReference(ByteReader& reader, FrameHeader& header) {
  LLMA_ASSIGN(const uint64_t xxh3, reader.LoadU64());
  LLMA_ASSIGN(const uint64_t size_bytes,
              LoadBounded(reader, kMaxReferenceBytes, "size of the reference"));
  header.reference_id = {xxh3, size_bytes};
  return OkStatus();
}

// The fields of the header's kind, after the byte of kind and flags.
Status ParseKindFields(ByteReader& reader, uint8_t flags, FrameHeader& header) {
  if (header.has_content()) {
    LLMA_ASSIGN(header.content_bytes,
                LoadBounded(reader, kMaxContentBytes, "content size"));
  }
  if (header.kind == FrameKind::kStored) {
    header.payload_bytes = header.content_bytes;
    return OkStatus();
  }
  LLMA_ASSIGN(header.payload_bytes,
              LoadBounded(reader, kMaxPayloadBytes, "payload size"));
  if ((flags & kHasRepetitions) != 0) {
    LLMA_TRY(ParseRepeatedBytes(reader, header));
  }
  if (header.kind == FrameKind::kSkippable) {
    LLMA_ASSIGN(const uint64_t type,
                LoadBounded(reader, kMaxIdValue, "type of a skippable frame"));
    header.skippable_type = static_cast<uint32_t>(type);
  } else if (header.kind == FrameKind::kCoded) {
    LLMA_TRY(ParseCodedFields(reader, header));
  } else if (header.kind == FrameKind::kContexts) {
    LLMA_TRY(ParsePredictorId(reader, header));
    LLMA_ASSIGN(const uint8_t models, reader.LoadU8());
    LLMA_ASSIGN(header.context_models,
                ToContextModels(models, reader.offset() - 1));
  }
  return OkStatus();
}

// Reads up to the byte of kind and flags; returns the flags.
Result<uint8_t> ParseStart(ByteReader& reader, FrameHeader& header) {
  const uint64_t start = reader.offset();
  LLMA_ASSIGN(const Bytes magic,
              reader.Take(std::min(reader.remaining(), kFrameMagic.size())));
  if (!std::equal(magic.begin(), magic.end(), kFrameMagic.begin())) {
    return Error{ErrorCode::kBadMagic, "not an llma file", start};
  }
  // Also the error of a file that ends within the magic.
  LLMA_ASSIGN(const uint8_t version, reader.LoadU8());
  if (version != kFormatVersion) {
    return Error{ErrorCode::kUnsupported,
                 "format version " + std::to_string(version) +
                     " is not supported" +
                     (version > kFormatVersion ? ": a newer version may" : ""),
                 reader.offset() - 1};
  }
  LLMA_ASSIGN(const uint8_t flags, reader.LoadU8());
  const uint32_t kind = flags & kKindMask;
  if (kind > static_cast<uint32_t>(FrameKind::kIndex)) {
    return Error{ErrorCode::kUnsupported,
                 "frames of kind " + std::to_string(kind) +
                     " are not supported: a newer version may",
                 reader.offset() - 1};
  }
  const bool is_predicted = kind == static_cast<uint32_t>(FrameKind::kCoded) ||
                            kind == static_cast<uint32_t>(FrameKind::kContexts);
  if ((flags & kReservedFlags) != 0 ||
      ((flags & (kHasRepetitions | kHasReference)) != 0 && !is_predicted)) {
    return Error{ErrorCode::kUnsupported,
                 "a flag in the header is not known to this version",
                 reader.offset() - 1};
  }
  header.kind = static_cast<FrameKind>(kind);
  return flags;
}

}  // namespace

uint64_t NarrowChecksum(uint64_t xxh3, uint64_t size_bytes) {
  return size_bytes >= kLongChecksumBytes ? xxh3 : xxh3 & 0xffffffff;
}

uint64_t Checksum(Bytes data) {
  return NarrowChecksum(Xxh3(data), data.size());
}

bool HasFrameMagic(Bytes file) {
  return file.size() >= kFrameMagic.size() &&
         std::equal(kFrameMagic.begin(), kFrameMagic.end(), file.begin());
}

Status CheckFrameHeader(const FrameHeader& header) {
  if (header.kind > FrameKind::kIndex) {
    return Corrupt("the kind of the frame is unknown");
  }
  if (!(header == OnlyOwnFields(header))) {
    return Corrupt("the frame has a field that its kind does not have");
  }
  if (header.content_bytes > kMaxContentBytes ||
      header.payload_bytes > kMaxPayloadBytes) {
    return Corrupt("the frame is too large");
  }
  const uint64_t checksum = header.has_checksum ? header.checksum : 0;
  if (header.checksum != NarrowChecksum(checksum, CheckedBytes(header))) {
    return Corrupt("the checksum is too wide");
  }
  switch (header.kind) {
    case FrameKind::kStored:
      if (header.payload_bytes == header.content_bytes) return OkStatus();
      return Corrupt("a stored frame has another size than its content");
    case FrameKind::kCoded:
    case FrameKind::kContexts:
      return CheckPrediction(header);
    case FrameKind::kSkippable:
      if (header.is_last || header.skippable_type > kMaxIdValue) break;
      return OkStatus();
    case FrameKind::kIndex:
      if (!header.is_last || !header.has_checksum) break;
      return OkStatus();
  }
  return Corrupt("the flags do not fit the kind of the frame");
}

void WriteFrameHeader(const FrameHeader& header, ByteWriter& writer) {
  LLMA_DCHECK(CheckFrameHeader(header).has_value());
  const size_t start = writer.size();
  writer.StoreBytes(kFrameMagic);
  writer.StoreU8(kFormatVersion);
  uint8_t flags = static_cast<uint8_t>(header.kind);
  if (header.is_last) flags |= kIsLast;
  if (!header.has_checksum) flags |= kHasNoChecksum;
  if (header.reference_id) flags |= kHasReference;
  if (header.repeated_bytes > 0) flags |= kHasRepetitions;
  writer.StoreU8(flags);
  if (header.has_content()) writer.StoreVarint(header.content_bytes);
  if (header.kind != FrameKind::kStored) {
    writer.StoreVarint(header.payload_bytes);
  }
  if (header.repeated_bytes > 0) writer.StoreVarint(header.repeated_bytes);
  const auto models = static_cast<uint8_t>(header.context_models);
  if (header.kind == FrameKind::kSkippable) {
    writer.StoreVarint(header.skippable_type);
  } else if (header.kind == FrameKind::kCoded) {
    writer.StoreVarint(header.predictor_id);
    writer.StoreBytes(header.model_id);
    writer.StoreVarint(header.window_positions / kWindowGranularity - 1);
    const size_t lanes_less_one = header.lane_bytes.size() - 1;
    writer.StoreU8(
        static_cast<uint8_t>(lanes_less_one << kModelsBits | models));
    for (size_t i = 0; i < lanes_less_one; ++i) {
      writer.StoreVarint(header.lane_bytes[i]);
    }
  } else if (header.kind == FrameKind::kContexts) {
    writer.StoreVarint(header.predictor_id);
    writer.StoreU8(models);
  }
  if (header.reference_id) {
    writer.StoreU64(header.reference_id->xxh3);
    writer.StoreVarint(header.reference_id->size_bytes);
  }
  if (header.has_checksum) {
    if (CheckedBytes(header) >= kLongChecksumBytes) {
      writer.StoreU64(header.checksum);
    } else {
      writer.StoreU32(static_cast<uint32_t>(header.checksum));
    }
  }
  writer.StoreU8(Crc8(writer.bytes().subspan(start)));
}

std::vector<uint8_t> HeaderBytes(const FrameHeader& header) {
  ByteWriter writer;
  WriteFrameHeader(header, writer);
  return std::move(writer).TakeBytes();
}

Result<FrameHeader> ParseFrameHeader(ByteReader& reader) {
  const uint64_t start = reader.offset();
  ByteReader whole = reader;  // the header again, for its check
  FrameHeader header;
  LLMA_ASSIGN(const uint8_t flags, ParseStart(reader, header));
  header.is_last = (flags & kIsLast) != 0;
  header.has_checksum = (flags & kHasNoChecksum) == 0;
  LLMA_TRY(ParseKindFields(reader, flags, header));
  if ((flags & kHasReference) != 0) {
    LLMA_TRY(ParseReference(reader, header));
  }
  if (header.has_checksum) {
    if (CheckedBytes(header) >= kLongChecksumBytes) {
      LLMA_ASSIGN(header.checksum, reader.LoadU64());
    } else {
      LLMA_ASSIGN(header.checksum, reader.LoadU32());
    }
  }
  LLMA_ASSIGN(const Bytes checked, whole.Take(reader.offset() - start));
  LLMA_ASSIGN(const uint8_t check, reader.LoadU8());
  if (check != Crc8(checked)) {
    return Error{ErrorCode::kChecksum, "the header is damaged", start};
  }
  if (Status status = CheckFrameHeader(header); !status) {
    return Corrupt(status.error().what, start);
  }
  return header;
}

}  // namespace llma
