// SPDX-License-Identifier: Apache-2.0
// Removes the temporary output when a signal ends the program, and says how far
// the work is.
#ifndef LLMA_CLI_FILES_SIGNALS_H_
#define LLMA_CLI_FILES_SIGNALS_H_

#include <signal.h>

#include "platform/file_place.h"

namespace llma::cli {

// SIGHUP, SIGINT, SIGTERM, SIGPIPE and SIGXCPU unlink the file of
// SetTemporaryFile(), unless it holds long work, say what is left
// (cli/work_report.h) if `tells`, and then end the program as they would have.
// Ignored signals stay ignored. SIGUSR1, and SIGINFO where it exists, show how
// far the work is.
void InstallSignalHandlers(bool tells);

// Holds these signals back while a file is created and named.
class SignalBlock {
 public:
  SignalBlock();
  ~SignalBlock();
  SignalBlock(const SignalBlock&) = delete;
  SignalBlock& operator=(const SignalBlock&) = delete;

 private:
  sigset_t saved_;
};

// One file at a time, or none; the folder must stay open. Call it with signals
// blocked.
void SetTemporaryFile(const FilePlace* place);

}  // namespace llma::cli

#endif  // LLMA_CLI_FILES_SIGNALS_H_
