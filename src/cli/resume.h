// SPDX-License-Identifier: Apache-2.0
// Where an interrupted compression goes on, from files.
#ifndef LLMA_CLI_RESUME_H_
#define LLMA_CLI_RESUME_H_

#include "base/checksum.h"
#include "base/status.h"
#include "cli/input_file.h"
#include "codec/resume_point.h"

namespace llma::cli {

// As llma::FindResumePoint(); `part_fd`: the file that was begun. The input
// must be able to seek.
Result<ResumePoint> FindResumePoint(int part_fd, InputFile& input,
                                    Xxh3Stream& content_xxh3);

}  // namespace llma::cli

#endif  // LLMA_CLI_RESUME_H_
