// SPDX-License-Identifier: Apache-2.0
#include "cli/files/signals.h"

#include "cli/messages.h"
#include "cli/work_report.h"
#include "platform/descriptors.h"
#include "platform/interruptions.h"

namespace llma::cli {
namespace {

bool tells_of_the_end = true;

void WriteLine(SafeLine& line) {
  line.Add("\n");
  WriteOnce(kStandardError, line.text().data(), line.text().size());
}

// Only calls that are allowed in a signal handler.
void EndWork(Ending ending) {
  const bool is_kept = KeepsPart();
  if (!is_kept) RemoveFileAtEnd();
  if (IsProgressShown()) WriteOnce(kStandardError, "\n", 1);
  SafeLine line;
  if (ending == Ending::kLostFile) {
    line.Add(
        "llma: a file in use, as of a model, became shorter or cannot be read");
    WriteLine(line);
    return;
  }
  if (tells_of_the_end && ending != Ending::kBrokenPipe &&
      DescribeInterruption(line, is_kept)) {
    WriteLine(line);
  }
}

void TellProgress() {
  SafeLine line;
  if (IsProgressShown()) line.Add("\r\033[K");
  if (DescribeProgress(line)) WriteLine(line);
}

}  // namespace

void InstallSignalHandlers(bool tells) {
  tells_of_the_end = tells;
  HandleInterruptions({.end = EndWork, .tell = TellProgress});
}

}  // namespace llma::cli
