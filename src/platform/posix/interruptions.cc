// SPDX-License-Identifier: Apache-2.0
#include "platform/interruptions.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "platform/posix/held_folder.h"

namespace llma {
namespace {

constexpr int kSignals[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXCPU};

InterruptionHandlers the_handlers;

// Written only while the signals are blocked, or before any work.
struct FileToRemove {
  char name[NAME_MAX + 1];
  int folder_fd;
  FileInfo file;

  void Set(const FilePlace* place) {
    name[0] = '\0';
    if (place == nullptr || place->name().size() >= sizeof(name)) return;
    const auto info = place->Info();
    if (!info) return;
    file = *info;
    folder_fd = place->folder().fd();
    std::memcpy(name, place->name().c_str(), place->name().size() + 1);
  }
  // Only calls that are allowed in a signal handler.
  void Remove() const {
    struct stat now;
    if (name[0] != '\0' &&
        ::fstatat(folder_fd, name, &now, AT_SYMLINK_NOFOLLOW) == 0 &&
        static_cast<uint64_t>(now.st_dev) == file.device &&
        static_cast<uint64_t>(now.st_ino) == file.number) {
      ::unlinkat(folder_fd, name, 0);
    }
  }
};
FileToRemove to_remove, of_library;

// Of this thread, around the outermost block.
thread_local int num_blocks = 0;
thread_local sigset_t mask_outside;

// Only calls that are allowed in a signal handler.
void EndProgram(int signal_number) {
  of_library.Remove();
  the_handlers.end(signal_number == SIGPIPE ? Ending::kBrokenPipe
                                            : Ending::kAsked);
  ::signal(signal_number, SIG_DFL);
  ::raise(signal_number);
}

void EndAfterLoss(int) {
  of_library.Remove();
  the_handlers.end(Ending::kLostFile);
  ::_exit(1);
}

void Tell(int) {
  const int saved_errno = errno;
  the_handlers.tell();
  errno = saved_errno;
}

void TellAt(int signal_number) {
  struct sigaction action = {};
  action.sa_handler = Tell;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal_number, &action, nullptr);
}

sigset_t EndingSignals() {
  sigset_t signals;
  sigemptyset(&signals);
  for (const int signal_number : kSignals) sigaddset(&signals, signal_number);
  return signals;
}

}  // namespace

void HandleInterruptions(const InterruptionHandlers& handlers) {
  the_handlers = handlers;
  TellAt(SIGUSR1);
#ifdef SIGINFO
  TellAt(SIGINFO);
#endif
  struct sigaction action = {};
  action.sa_handler = EndProgram;
  action.sa_mask = EndingSignals();
  for (const int signal_number : kSignals) {
    struct sigaction old = {};
    ::sigaction(signal_number, nullptr, &old);
    if (old.sa_handler == SIG_IGN) continue;
    ::sigaction(signal_number, &action, nullptr);
  }
  action.sa_handler = EndAfterLoss;
  ::sigaction(SIGBUS, &action, nullptr);
  ::signal(SIGXFSZ, SIG_IGN);
}

InterruptionBlock::InterruptionBlock() {
  if (num_blocks++ > 0) return;
  const sigset_t signals = EndingSignals();
  ::pthread_sigmask(SIG_BLOCK, &signals, &mask_outside);
}

InterruptionBlock::~InterruptionBlock() {
  if (--num_blocks > 0) return;
  ::pthread_sigmask(SIG_SETMASK, &mask_outside, nullptr);
}

void SetFileToRemoveAtEnd(const FilePlace* place) { to_remove.Set(place); }

void RemoveFileAtEnd() { to_remove.Remove(); }

RemovalAtEnd::RemovalAtEnd(const FilePlace* place) {
  if (the_handlers.end == nullptr || of_library.name[0] != '\0') return;
  const InterruptionBlock block;
  of_library.Set(place);
  is_set_ = true;
}

RemovalAtEnd::~RemovalAtEnd() {
  if (!is_set_) return;
  const InterruptionBlock block;
  of_library.Set(nullptr);
}

}  // namespace llma
