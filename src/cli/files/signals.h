// SPDX-License-Identifier: Apache-2.0
// Removes the temporary output when a signal ends the program, and says how far
// the work is.
#ifndef LLMA_CLI_FILES_SIGNALS_H_
#define LLMA_CLI_FILES_SIGNALS_H_

namespace llma::cli {

// What ends the program (platform/interruptions.h) removes the file of
// SetFileToRemoveAtEnd(), unless it holds long work, and says what is left
// (cli/work_report.h) if `tells`. A signal that asks shows how far the work is.
void InstallSignalHandlers(bool tells);

}  // namespace llma::cli

#endif  // LLMA_CLI_FILES_SIGNALS_H_
