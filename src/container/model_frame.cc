// SPDX-License-Identifier: Apache-2.0
#include "container/model_frame.h"

#include <algorithm>

#include "base/checksum.h"

namespace llma {

ModelFrameStart StartModelFrame(const ModelFingerprint& fingerprint,
                                Bytes model_file) {
  ModelFrameStart start;
  FrameHeader& header = start.header;
  header.kind = FrameKind::kSkippable;
  header.skippable_type = kModelFrameType;
  header.payload_bytes = fingerprint.size() + model_file.size();
  Xxh3Stream xxh3;
  xxh3.Update(fingerprint);
  xxh3.Update(model_file);
  header.checksum = NarrowChecksum(xxh3.Digest(), header.payload_bytes);
  start.header_bytes = HeaderBytes(header);
  return start;
}

Result<ModelFingerprint> ParseModelFingerprint(Bytes start) {
  ModelFingerprint fingerprint;
  if (start.size() < fingerprint.size()) {
    return Error{ErrorCode::kCorrupt, "an embedded model is too short"};
  }
  std::copy_n(start.begin(), fingerprint.size(), fingerprint.begin());
  return fingerprint;
}

Result<EmbeddedModelLocation> FindEmbeddedModel(const RandomAccess& file,
                                                const FrameHeader& header,
                                                uint64_t frame_ofs,
                                                size_t header_bytes) {
  EmbeddedModelLocation found;
  const uint64_t payload_ofs = frame_ofs + header_bytes;
  LLMA_ASSIGN(
      const std::vector<uint8_t> start,
      file.ReadAt(payload_ofs, std::min<uint64_t>(header.payload_bytes,
                                                  sizeof(ModelFingerprint))));
  LLMA_ASSIGN(found.fingerprint, ParseModelFingerprint(start));
  found.frame_ofs = frame_ofs;
  found.model_ofs = payload_ofs + start.size();
  found.model_bytes = header.payload_bytes - start.size();
  if (found.model_bytes > file.file_bytes - found.model_ofs) {
    return Error{ErrorCode::kTruncated, "the file is truncated",
                 file.file_bytes};
  }
  return found;
}

}  // namespace llma
