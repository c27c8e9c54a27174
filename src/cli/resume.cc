// SPDX-License-Identifier: Apache-2.0
#include "cli/resume.h"

#include <sys/stat.h>

#include "base/file_io.h"

namespace llma::cli {

Result<ResumePoint> FindResumePoint(int part_fd, InputFile& input,
                                    Xxh3Stream& content_xxh3) {
  ResumePoint point;
  struct stat info;
  if (::fstat(part_fd, &info) != 0 || info.st_size == 0) return point;
  if (!input.is_regular()) {
    return Error{ErrorCode::kUsage, "--resume needs an input that can seek"};
  }
  const RandomAccess part = {static_cast<uint64_t>(info.st_size),
                             [part_fd](uint64_t ofs, uint64_t n) {
                               return ReadFileAt(part_fd, ofs, n);
                             }};
  LLMA_ASSIGN(const RandomAccess source, input.MakeRandomAccess(0));
  for (uint64_t ofs = 0; ofs < part.file_bytes;) {
    size_t header_bytes = 0;
    const auto header = ReadFrameHeader(part, ofs, &header_bytes);
    // What is cut off, or is not a frame, is written anew.
    if (!header || header->is_last || header->kind == FrameKind::kIndex) break;
    const uint64_t frame_bytes = header_bytes + header->payload_bytes;
    if (frame_bytes > part.file_bytes - ofs) break;
    LLMA_ASSIGN(const auto content,
                source.ReadAt(point.content_bytes, header->content_bytes));
    if (header->has_content() && (content.size() != header->content_bytes ||
                                  Checksum(content) != header->checksum)) {
      return Error{ErrorCode::kUsage,
                   "is not what the interrupted run compressed; -f without "
                   "--resume starts anew"};
    }
    LLMA_ASSIGN(const auto header_copy, part.ReadAt(ofs, header_bytes));
    point.index.Add(header_copy, *header);
    point.content_bytes += content.size();
    content_xxh3.Update(content);
    ofs += frame_bytes;
  }
  return point;
}

}  // namespace llma::cli
