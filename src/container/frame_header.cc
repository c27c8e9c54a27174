// SPDX-License-Identifier: Apache-2.0
#include "container/frame_header.h"

#include <algorithm>
#include <string>

#include "base/checksum.h"
#include "container/crc8.h"

namespace llma {
namespace {

// The byte of kind and lanes: bits 0 and 1 the kind, bits 2 to 7 the number of
// lanes less one. 16 coded lanes: 15 << 2 | 1 = 0x3d.
constexpr int kKindBits = 2;
static_assert((kMaxLanes - 1) >> (8 - kKindBits) == 0);

bool HasLongChecksum(uint64_t content_bytes) {
  return content_bytes >= kLongChecksumBytes;
}

Error Corrupt(std::string what, uint64_t offset) {
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

Status CheckLanes(const FrameHeader& header) {
  if (header.lane_bytes.empty() || header.lane_bytes.size() > kMaxLanes) {
    return Corrupt("the number of lanes is out of bounds", Error::kNoOffset);
  }
  uint64_t left = header.content_bytes;
  for (const uint64_t size : header.lane_bytes) {
    if (size == 0 || size > left) {
      return Corrupt("the sizes of the lanes do not fit the content",
                     Error::kNoOffset);
    }
    left -= size;
  }
  if (left != 0) {
    return Corrupt("the lanes are smaller than the content", Error::kNoOffset);
  }
  return OkStatus();
}

// Content that is not stored.
Status CheckPrediction(const FrameHeader& header) {
  if (header.numerics_id > kMaxIdValue || header.predictor_id > kMaxIdValue) {
    return Corrupt("an id is out of bounds", Error::kNoOffset);
  }
  if (header.context_models > ContextModels::kFull) {
    return Corrupt("the context models are unknown", Error::kNoOffset);
  }
  if (header.context_models != ContextModels::kNone &&
      header.content_bytes > kMaxContextContentBytes) {
    return Corrupt("the content is too large for context models",
                   Error::kNoOffset);
  }
  return OkStatus();
}

Result<uint32_t> ParsePredictorId(ByteReader& reader) {
  LLMA_ASSIGN(const uint64_t id,
              LoadBounded(reader, kMaxIdValue, "predictor id"));
  return static_cast<uint32_t>(id);
}

Result<ContextModels> ParseContextModels(ByteReader& reader) {
  LLMA_ASSIGN(const uint8_t value, reader.LoadU8());
  if (value > static_cast<uint8_t>(ContextModels::kFull)) {
    return Corrupt("the context models are unknown", reader.offset() - 1);
  }
  return static_cast<ContextModels>(value);
}

// The fields of kContexts, behind the content size.
Status ParseContextFields(ByteReader& reader, FrameHeader& header) {
  LLMA_ASSIGN(header.predictor_id, ParsePredictorId(reader));
  LLMA_ASSIGN(header.context_models, ParseContextModels(reader));
  return OkStatus();
}

// The fields of kCoded, behind the content size.
Status ParseCodedFields(ByteReader& reader, uint32_t num_lanes,
                        FrameHeader& header) {
  LLMA_ASSIGN(const uint64_t numerics_id,
              LoadBounded(reader, kMaxIdValue, "numerics id"));
  header.numerics_id = static_cast<uint32_t>(numerics_id);
  LLMA_ASSIGN(header.predictor_id, ParsePredictorId(reader));
  LLMA_ASSIGN(const Bytes model_id, reader.Take(header.model_id.size()));
  std::copy(model_id.begin(), model_id.end(), header.model_id.begin());
  LLMA_ASSIGN(const uint64_t window,
              LoadBounded(reader, kMaxWindowPositions / kWindowGranularity - 1,
                          "window"));
  header.window_positions =
      (static_cast<uint32_t>(window) + 1) * kWindowGranularity;
  LLMA_ASSIGN(header.context_models, ParseContextModels(reader));
  // The last lane has what is left.
  uint64_t left = header.content_bytes;
  for (uint32_t i = 0; i + 1 < num_lanes; ++i) {
    LLMA_ASSIGN(const uint64_t size, LoadBounded(reader, left, "lane size"));
    header.lane_bytes.push_back(size);
    left -= size;
  }
  header.lane_bytes.push_back(left);
  return OkStatus();
}

}  // namespace

uint64_t ContentChecksum(Bytes content) {
  const uint64_t hash = Xxh3(content);
  return HasLongChecksum(content.size()) ? hash : hash & 0xffffffff;
}

bool HasFrameMagic(Bytes file) {
  return file.size() >= kFrameMagic.size() &&
         std::equal(kFrameMagic.begin(), kFrameMagic.end(), file.begin());
}

Status CheckFrameHeader(const FrameHeader& header) {
  if (header.content_bytes > kMaxContentBytes) {
    return Corrupt("the content is too large", Error::kNoOffset);
  }
  if (!HasLongChecksum(header.content_bytes) && header.checksum >> 32 != 0) {
    return Corrupt("the checksum is too wide", Error::kNoOffset);
  }
  if (header.kind == ContentKind::kStored) {
    FrameHeader stored;
    stored.content_bytes = header.content_bytes;
    stored.checksum = header.checksum;
    if (header == stored) return OkStatus();
    return Corrupt("a stored content has no settings", Error::kNoOffset);
  }
  if (header.kind != ContentKind::kCoded &&
      header.kind != ContentKind::kContexts) {
    return Corrupt("the kind of the content is unknown", Error::kNoOffset);
  }
  LLMA_TRY(CheckPrediction(header));
  if (header.kind == ContentKind::kContexts) {
    FrameHeader plain;
    plain.kind = header.kind;
    plain.content_bytes = header.content_bytes;
    plain.checksum = header.checksum;
    plain.predictor_id = header.predictor_id;
    plain.context_models = header.context_models;
    if (header == plain && header.content_bytes > 0 &&
        header.context_models != ContextModels::kNone) {
      return OkStatus();
    }
    return Corrupt("the settings of the context models are wrong",
                   Error::kNoOffset);
  }
  if (header.window_positions == 0 ||
      header.window_positions > kMaxWindowPositions ||
      header.window_positions % kWindowGranularity != 0) {
    return Corrupt("the window is out of bounds", Error::kNoOffset);
  }
  return CheckLanes(header);
}

void WriteFrameHeader(const FrameHeader& header, ByteWriter& writer) {
  LLMA_DCHECK(CheckFrameHeader(header).has_value());
  const size_t start = writer.size();
  const bool is_coded = header.kind == ContentKind::kCoded;
  writer.StoreBytes(kFrameMagic);
  writer.StoreU8(kFormatVersion);
  const size_t lanes_less_one = is_coded ? header.lane_bytes.size() - 1 : 0;
  writer.StoreU8(static_cast<uint8_t>(lanes_less_one << kKindBits |
                                      static_cast<size_t>(header.kind)));
  writer.StoreVarint(header.content_bytes);
  if (is_coded) {
    writer.StoreVarint(header.numerics_id);
    writer.StoreVarint(header.predictor_id);
    writer.StoreBytes(header.model_id);
    writer.StoreVarint(header.window_positions / kWindowGranularity - 1);
    writer.StoreU8(static_cast<uint8_t>(header.context_models));
    for (size_t i = 0; i < lanes_less_one; ++i) {
      writer.StoreVarint(header.lane_bytes[i]);
    }
  } else if (header.kind == ContentKind::kContexts) {
    writer.StoreVarint(header.predictor_id);
    writer.StoreU8(static_cast<uint8_t>(header.context_models));
  }
  if (HasLongChecksum(header.content_bytes)) {
    writer.StoreU64(header.checksum);
  } else {
    writer.StoreU32(static_cast<uint32_t>(header.checksum));
  }
  writer.StoreU8(Crc8(writer.bytes().subspan(start)));
}

Result<FrameHeader> ParseFrameHeader(ByteReader& reader) {
  const uint64_t start = reader.offset();
  ByteReader whole = reader;  // the header again, for its check
  LLMA_ASSIGN(const Bytes magic,
              reader.Take(std::min(reader.remaining(), kFrameMagic.size())));
  if (!std::equal(magic.begin(), magic.end(), kFrameMagic.begin())) {
    return Error{ErrorCode::kBadMagic, "not a llma file", start};
  }
  // Also the error of a file that ends within the magic.
  LLMA_ASSIGN(const uint8_t version, reader.LoadU8());
  if (version != kFormatVersion) {
    return Error{
        ErrorCode::kUnsupported,
        "format version " + std::to_string(version) + " is not supported",
        reader.offset() - 1};
  }
  LLMA_ASSIGN(const uint8_t kind_and_lanes, reader.LoadU8());
  const uint32_t kind = kind_and_lanes & ((1u << kKindBits) - 1);
  const uint32_t num_lanes = (uint32_t{kind_and_lanes} >> kKindBits) + 1;
  if (kind > static_cast<uint32_t>(ContentKind::kContexts)) {
    return Error{ErrorCode::kUnsupported,
                 "content kind " + std::to_string(kind) + " is not supported",
                 reader.offset() - 1};
  }
  FrameHeader header;
  header.kind = static_cast<ContentKind>(kind);
  if (header.kind != ContentKind::kCoded && num_lanes != 1) {
    return Corrupt("only a language model has lanes", reader.offset() - 1);
  }
  LLMA_ASSIGN(header.content_bytes,
              LoadBounded(reader, kMaxContentBytes, "content size"));
  if (header.kind == ContentKind::kCoded) {
    LLMA_TRY(ParseCodedFields(reader, num_lanes, header));
  } else if (header.kind == ContentKind::kContexts) {
    LLMA_TRY(ParseContextFields(reader, header));
  }
  if (HasLongChecksum(header.content_bytes)) {
    LLMA_ASSIGN(header.checksum, reader.LoadU64());
  } else {
    LLMA_ASSIGN(header.checksum, reader.LoadU32());
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
