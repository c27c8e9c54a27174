// SPDX-License-Identifier: Apache-2.0
#include "fuzz/frame_repair.h"

#include <algorithm>

#include "container/crc8.h"
#include "container/frame_header.h"
#include "container/frame_index.h"

namespace llma {
namespace {

// The header at the start of `bytes`, whatever its check says.
Result<FrameHeader> ParseUnchecked(Bytes bytes, size_t& header_bytes) {
  ByteReader reader(bytes);
  const auto header = ParseFrameHeader(reader);
  header_bytes = reader.offset();
  if (header || header.error().code != ErrorCode::kChecksum) return header;
  std::vector<uint8_t> checked(
      bytes.begin(), bytes.begin() + static_cast<ptrdiff_t>(header_bytes));
  checked.back() = Crc8(Bytes(checked).first(header_bytes - 1));
  ByteReader again(checked);
  return ParseFrameHeader(again);
}

}  // namespace

std::vector<uint8_t> RepairFrames(Bytes file, const RepairOptions& options) {
  std::vector<uint8_t> repaired;
  const auto copy = [&](Bytes part) {
    repaired.insert(repaired.end(), part.begin(), part.end());
  };
  IndexBuilder index;
  while (!file.empty()) {
    size_t header_bytes = 0;
    auto header = ParseUnchecked(file, header_bytes);
    if (!header) {
      const auto next = std::search(file.begin() + 1, file.end(),
                                    kFrameMagic.begin(), kFrameMagic.end());
      const auto skipped = static_cast<size_t>(next - file.begin());
      copy(file.first(skipped));
      file = file.subspan(skipped);
      continue;
    }
    file = file.subspan(header_bytes);
    const Bytes payload = file.first(static_cast<size_t>(
        std::min<uint64_t>(header->payload_bytes, file.size())));
    file = file.subspan(payload.size());
    if (header->kind == FrameKind::kIndex && options.fix_indexes) {
      copy(WriteIndexFrame(index.index()));
      index = {};
      continue;
    }
    const bool is_coded = header->kind == FrameKind::kCoded ||
                          header->kind == FrameKind::kContexts;
    if (options.fix_checksums && header->has_checksum && !is_coded &&
        payload.size() == header->payload_bytes) {
      header->checksum = Checksum(payload);
    }
    ByteWriter writer;
    WriteFrameHeader(*header, writer);
    index.Add(writer.bytes(), *header);
    copy(writer.bytes());
    copy(payload);
    if (header->is_last) index = {};
  }
  return repaired;
}

}  // namespace llma
