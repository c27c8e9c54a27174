// SPDX-License-Identifier: Apache-2.0
// What happens when the user or the system ends the program, or asks how far it
// is.
#ifndef LLMA_PLATFORM_INTERRUPTIONS_H_
#define LLMA_PLATFORM_INTERRUPTIONS_H_

#include "platform/file_place.h"

namespace llma {

// How the program is ended.
enum class Ending {
  kAsked,       // by the user, the system or a limit
  kBrokenPipe,  // nobody reads what it writes
  kLostFile,    // a mapped file became shorter, or its device failed
};

struct InterruptionHandlers {
  // Both make only calls that are allowed in a signal handler. Before the
  // program ends as it would have ended without a handler:
  void (*end)(Ending ending) = nullptr;
  // It goes on after this.
  void (*tell)() = nullptr;
};

// SIGHUP, SIGINT, SIGTERM, SIGPIPE and SIGXCPU end it, where they are not
// ignored; SIGUSR1, and SIGINFO where it exists, ask. On Windows Ctrl-C,
// Ctrl-Break and closing the console end it, and nothing asks. A file that
// grows beyond a limit is an error like any other. SIGBUS, of a file that was
// lost, ends it with status 1.
void HandleInterruptions(const InterruptionHandlers& handlers);

// Holds back what ends the program while a file is created and named.
class InterruptionBlock {
 public:
  InterruptionBlock();
  ~InterruptionBlock();
  InterruptionBlock(const InterruptionBlock&) = delete;
  InterruptionBlock& operator=(const InterruptionBlock&) = delete;
};

// The file that RemoveFileAtEnd() removes, if it has its name still; one at a
// time, or none. Its folder must stay open. Call it while interruptions are
// blocked.
void SetFileToRemoveAtEnd(const FilePlace* place);
// For InterruptionHandlers::end.
void RemoveFileAtEnd();

// While it exists, another such file, which is removed before
// InterruptionHandlers::end is called: what the library writes for the program.
// Of several the first; none where HandleInterruptions() was not called.
class RemovalAtEnd {
 public:
  explicit RemovalAtEnd(const FilePlace* place);
  ~RemovalAtEnd();
  RemovalAtEnd(const RemovalAtEnd&) = delete;
  RemovalAtEnd& operator=(const RemovalAtEnd&) = delete;

 private:
  bool is_set_ = false;
};

}  // namespace llma

#endif  // LLMA_PLATFORM_INTERRUPTIONS_H_
