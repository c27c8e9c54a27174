// SPDX-License-Identifier: Apache-2.0
// Where an interrupted compression goes on.
#ifndef LLMA_CLI_RESUME_H_
#define LLMA_CLI_RESUME_H_

#include <cstdint>

#include "base/checksum.h"
#include "base/status.h"
#include "cli/input_file.h"
#include "container/frame_index.h"

namespace llma::cli {

struct ResumePoint {
  IndexBuilder index;  // of the whole frames that are there
  uint64_t content_bytes = 0;
};

// Looks for whole frames at the start of a file, and compares their checksums
// with `input`, which must be able to seek. `content_xxh3` is told the content
// that they cover. kUsage if the input is not the one that they were made from.
Result<ResumePoint> FindResumePoint(int part_fd, InputFile& input,
                                    Xxh3Stream& content_xxh3);

}  // namespace llma::cli

#endif  // LLMA_CLI_RESUME_H_
