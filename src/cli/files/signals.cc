// SPDX-License-Identifier: Apache-2.0
#include "cli/files/signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstring>

#include "cli/messages.h"
#include "cli/work_report.h"

namespace llma::cli {
namespace {

constexpr int kSignals[] = {SIGHUP, SIGINT, SIGTERM, SIGPIPE, SIGXCPU};

// What the handler unlinks, if it is still that file. Written only while the
// signals are blocked, or before any work.
struct TemporaryFile {
  char name[NAME_MAX + 1];
  int folder_fd;
  struct stat file;
};
TemporaryFile temporary;

bool tells_of_the_end = true;

void WriteLine(SafeLine& line) {
  line.Add("\n");
  (void)!::write(STDERR_FILENO, line.text().data(), line.text().size());
}

// Only calls that are allowed in a signal handler.
void RemoveAndDie(int signal_number) {
  struct stat now;
  const bool is_kept = KeepsPart();
  if (!is_kept && temporary.name[0] != '\0' &&
      ::fstatat(temporary.folder_fd, temporary.name, &now,
                AT_SYMLINK_NOFOLLOW) == 0 &&
      IsSameFile(now, temporary.file)) {
    ::unlinkat(temporary.folder_fd, temporary.name, 0);
  }
  if (IsProgressShown()) (void)!::write(STDERR_FILENO, "\n", 1);
  SafeLine line;
  if (tells_of_the_end && signal_number != SIGPIPE &&
      DescribeInterruption(line, is_kept)) {
    WriteLine(line);
  }
  ::signal(signal_number, SIG_DFL);
  ::raise(signal_number);
}

void TellProgress(int) {
  const int saved_errno = errno;
  SafeLine line;
  if (IsProgressShown()) line.Add("\r\033[K");
  if (DescribeProgress(line)) WriteLine(line);
  errno = saved_errno;
}

void HandleProgressSignal(int signal_number) {
  struct sigaction action = {};
  action.sa_handler = TellProgress;
  action.sa_flags = SA_RESTART;
  ::sigaction(signal_number, &action, nullptr);
}

}  // namespace

void InstallSignalHandlers(bool tells) {
  tells_of_the_end = tells;
  HandleProgressSignal(SIGUSR1);
#ifdef SIGINFO
  HandleProgressSignal(SIGINFO);
#endif
  struct sigaction action = {};
  action.sa_handler = RemoveAndDie;
  for (const int signal_number : kSignals) {
    sigaddset(&action.sa_mask, signal_number);
  }
  for (const int signal_number : kSignals) {
    struct sigaction old = {};
    ::sigaction(signal_number, nullptr, &old);
    if (old.sa_handler == SIG_IGN) continue;
    ::sigaction(signal_number, &action, nullptr);
  }
  // A file that grows beyond a limit: an error of write() like any other.
  ::signal(SIGXFSZ, SIG_IGN);
}

SignalBlock::SignalBlock() {
  sigset_t blocked;
  sigemptyset(&blocked);
  for (const int signal_number : kSignals) sigaddset(&blocked, signal_number);
  ::pthread_sigmask(SIG_BLOCK, &blocked, &saved_);
}

SignalBlock::~SignalBlock() {
  ::pthread_sigmask(SIG_SETMASK, &saved_, nullptr);
}

void SetTemporaryFile(const FilePlace* place) {
  temporary.name[0] = '\0';
  if (place == nullptr || place->name().size() >= sizeof(temporary.name) ||
      place->Stat(&temporary.file) != 0) {
    return;
  }
  temporary.folder_fd = place->folder_fd();
  std::memcpy(temporary.name, place->name().c_str(), place->name().size() + 1);
}

}  // namespace llma::cli
