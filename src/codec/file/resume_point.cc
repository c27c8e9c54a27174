// SPDX-License-Identifier: Apache-2.0
#include "codec/file/resume_point.h"

namespace llma {

Result<ResumePoint> FindResumePoint(const RandomAccess& part,
                                    const RandomAccess& content,
                                    const Reference* reference,
                                    Xxh3Stream& content_xxh3) {
  ResumePoint point;
  for (uint64_t ofs = 0; ofs < part.file_bytes;) {
    size_t header_bytes = 0;
    const auto header = ReadFrameHeader(part, ofs, &header_bytes);
    // What is cut off, or is not a frame, is written anew.
    if (!header || header->is_last || header->kind == FrameKind::kIndex) break;
    const uint64_t frame_bytes = header_bytes + header->payload_bytes;
    if (frame_bytes > part.file_bytes - ofs) break;
    if (IsModelFrame(*header)) {
      const auto model = FindEmbeddedModel(part, *header, ofs, header_bytes);
      if (!model) break;
      point.embedded_models.insert(model->fingerprint);
    }
    LLMA_ASSIGN(const auto covered,
                content.ReadAt(point.content_bytes, header->content_bytes));
    if (header->has_content() && (covered.size() != header->content_bytes ||
                                  Checksum(covered) != header->checksum)) {
      return Error{ErrorCode::kUsage,
                   "is not what the interrupted run compressed"};
    }
    if (header->reference_id) {
      LLMA_TRY(CheckReference(*header->reference_id, reference));
    }
    LLMA_ASSIGN(const auto header_copy, part.ReadAt(ofs, header_bytes));
    point.index.Add(header_copy, *header);
    point.content_bytes += covered.size();
    content_xxh3.Update(covered);
    ofs += frame_bytes;
  }
  return point;
}

}  // namespace llma
