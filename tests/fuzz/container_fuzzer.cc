// SPDX-License-Identifier: Apache-2.0
// Frames, indexes and what a file says of its source. In pieces or whole, from
// header to header or by its indexes, a file has the same frames, and what is
// read would be written with the same bytes.
#include <algorithm>
#include <optional>
#include <vector>

#include "container/frame_map.h"
#include "container/frame_parser.h"
#include "fuzz/file_input.h"

namespace llma {
namespace {

struct ParsedFile {
  std::vector<ContentFrame> frames;
  std::vector<size_t> models;  // their sizes
  std::optional<Error> error;
  uint64_t content_bytes = 0;
  uint64_t num_members = 0;
};

ParsedFile Parse(const FileInput& input, size_t piece_bytes) {
  ParsedFile parsed;
  FrameParser parser(
      {.max_payload_bytes = 1 << 20,
       .verify_checksums = input.verify_checksums,
       .model_taker = {[](const ModelFingerprint& fingerprint, uint64_t size) {
                         return Result(fingerprint[0] != 0 && size < 1 << 20);
                       },
                       [&parsed](const ModelFingerprint&,
                                 const AlignedBuffer<uint8_t>& model) {
                         parsed.models.push_back(model.size());
                         return OkStatus();
                       }}});
  // False at the end of the work.
  const auto take_frames = [&] {
    for (;;) {
      auto frame = parser.Next();
      if (!frame) {
        parsed.error = frame.error();
        return false;
      }
      if (!*frame) return true;
      parsed.content_bytes += (*frame)->header.content_bytes;
      parsed.frames.push_back(**std::move(frame));
    }
  };
  for (Bytes rest = input.file; !rest.empty();) {
    const size_t size = std::min(piece_bytes, rest.size());
    parser.Append(rest.first(size));
    rest = rest.subspan(size);
    if (!take_frames()) return parsed;
  }
  parser.MarkEnd();
  take_frames();
  parsed.num_members = parser.num_members();
  return parsed;
}

void CheckSameFrames(const ParsedFile& a, const ParsedFile& b) {
  FUZZ_CHECK(a.frames.size() == b.frames.size());
  FUZZ_CHECK(a.models == b.models);
  for (size_t i = 0; i < a.frames.size(); ++i) {
    FUZZ_CHECK(a.frames[i].header == b.frames[i].header);
    FUZZ_CHECK(a.frames[i].frame_ofs == b.frames[i].frame_ofs);
    FUZZ_CHECK(a.frames[i].payload_ofs == b.frames[i].payload_ofs);
    FUZZ_CHECK(a.frames[i].payload == b.frames[i].payload);
  }
  FUZZ_CHECK(a.error.has_value() == b.error.has_value());
  if (!a.error) return;
  FUZZ_CHECK(a.error->code == b.error->code);
  FUZZ_CHECK(a.error->offset == b.error->offset);
  FUZZ_CHECK(a.error->code != ErrorCode::kInternal);
}

void CheckHeaders(Bytes file, const ParsedFile& parsed) {
  for (const ContentFrame& frame : parsed.frames) {
    FUZZ_CHECK(frame.header.has_content());
    FUZZ_CHECK(CheckFrameHeader(frame.header).has_value());
    ByteWriter writer;
    WriteFrameHeader(frame.header, writer);
    FUZZ_CHECK(writer.size() == frame.payload_ofs - frame.frame_ofs);
    FUZZ_CHECK(AsStringView(writer.bytes()) ==
               AsStringView(file.subspan(frame.frame_ofs, writer.size())));
    FUZZ_CHECK(
        AsStringView(frame.payload) ==
        AsStringView(file.subspan(frame.payload_ofs, frame.payload.size())));
  }
}

void CheckMaps(const FileInput& input, const ParsedFile& parsed) {
  const RandomAccess access = InMemory(input.file);
  const auto by_headers = MapFramesByHeaders(access);
  const auto by_index = MapFramesByIndex(access);
  FUZZ_CHECK(by_index.has_value());
  if (parsed.error) return;
  FUZZ_CHECK(by_headers.has_value());
  FUZZ_CHECK(by_headers->content_bytes == parsed.content_bytes);
  FUZZ_CHECK(by_headers->num_members == parsed.num_members);
  auto frame = parsed.frames.begin();
  for (const FrameLocation& place : by_headers->frames) {
    const auto header = ReadFrameHeader(access, place.frame_ofs);
    FUZZ_CHECK(header.has_value());
    if (!header->has_content()) continue;
    FUZZ_CHECK(frame != parsed.frames.end());
    FUZZ_CHECK(place.frame_ofs == frame->frame_ofs);
    ++frame;
  }
  FUZZ_CHECK(frame == parsed.frames.end());
  if (!*by_index) return;
  FUZZ_CHECK((*by_index)->frames == by_headers->frames);
  FUZZ_CHECK((*by_index)->content_bytes == by_headers->content_bytes);
  FUZZ_CHECK((*by_index)->num_members == by_headers->num_members);
}

// As if the input were the payload of an index or of a source.
void CheckPayloads(Bytes payload) {
  if (const auto info = ParseSourceInfo(payload)) {
    FUZZ_CHECK(AsStringView(MakeSourceInfoFrame(*info).payload) ==
               AsStringView(payload));
  }
  if (const auto index = ParseIndex(payload, IndexFrameBytes(payload))) {
    // Less the size of the frame, which may be anything.
    const auto entries = payload.first(payload.size() - kIndexFooterBytes);
    const auto frame = WriteIndexFrame(*index);
    FUZZ_CHECK(
        AsStringView(Bytes(frame).last(payload.size()).first(entries.size())) ==
        AsStringView(entries));
  }
}

}  // namespace
}  // namespace llma

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const llma::FileInput input(llma::Bytes(data, size));
  const llma::ParsedFile whole =
      llma::Parse(input, std::max<size_t>(1, input.file.size()));
  llma::CheckSameFrames(whole, llma::Parse(input, input.piece_bytes));
  llma::CheckHeaders(input.file, whole);
  llma::CheckMaps(input, whole);
  llma::CheckPayloads(input.file);
  return 0;
}
