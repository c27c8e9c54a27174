// SPDX-License-Identifier: Apache-2.0
#include "cli/resume.h"

#include <sys/stat.h>

#include "base/file_io.h"

namespace llma::cli {

Result<ResumePoint> FindResumePoint(int part_fd, InputFile& input,
                                    Xxh3Stream& content_xxh3) {
  struct stat info;
  if (::fstat(part_fd, &info) != 0 || info.st_size == 0) return ResumePoint{};
  if (!input.is_regular()) {
    return Error{ErrorCode::kUsage, "--resume needs an input that can seek"};
  }
  const RandomAccess part = {static_cast<uint64_t>(info.st_size),
                             [part_fd](uint64_t ofs, uint64_t n) {
                               return ReadFileAt(part_fd, ofs, n);
                             }};
  LLMA_ASSIGN(const RandomAccess source, input.MakeRandomAccess(0));
  auto found = llma::FindResumePoint(part, source, content_xxh3);
  if (!found && found.error().code == ErrorCode::kUsage) {
    return Error{ErrorCode::kUsage,
                 found.error().what + "; -f without --resume starts anew"};
  }
  return found;
}

}  // namespace llma::cli
