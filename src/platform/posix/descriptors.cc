// SPDX-License-Identifier: Apache-2.0
#include "platform/descriptors.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstring>

#include "platform/posix/uninterrupted.h"

namespace llma {
namespace {

#if defined(O_PATH)
constexpr int kNameOnly = O_PATH;  // also where it may not be listed
#else
constexpr int kNameOnly = O_RDONLY;
#endif

// Waits for a non-blocking descriptor. What is wrong with it, reading or
// writing it will tell.
bool WaitFor(int fd, short events) {
  struct pollfd asked = {fd, events, 0};
  return Uninterrupted([&] { return ::poll(&asked, 1, -1); }) >= 0;
}

bool WouldBlock() { return errno == EAGAIN || errno == EWOULDBLOCK; }

// File systems and devices that have nothing to sync, or no call for it.
bool CannotSync() {
  return errno == EINVAL || errno == EROFS || errno == ENOSYS ||
         errno == ENOTSUP || errno == EOPNOTSUPP;
}

}  // namespace

Error SystemError(const std::string& what) {
  const int reason = errno;
  const char* const next_step = reason == EMFILE ? " (`ulimit -n` is the limit)"
                                : reason == ENOMEM
                                    ? " (`ulimit -v` may be the limit)"
                                    : "";
  return Error{ErrorCode::kIo, what + ": " + std::strerror(reason) + next_step};
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::close(fd_);
}

Descriptor OpenForReading(const std::string& path) {
  return Descriptor(Uninterrupted(
      [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
}

int64_t ReadSome(int fd, std::span<uint8_t> buffer) {
  for (;;) {
    const ssize_t got =
        Uninterrupted([&] { return ::read(fd, buffer.data(), buffer.size()); });
    if (got >= 0 || !WouldBlock() || !WaitFor(fd, POLLIN)) return got;
  }
}

Result<size_t> ReadFileAt(int fd, uint64_t offset, std::span<uint8_t> buffer) {
  size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = Uninterrupted([&] {
      return ::pread(fd, buffer.data() + used, buffer.size() - used,
                     static_cast<off_t>(offset + used));
    });
    if (got < 0) return SystemError("cannot read input");
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  return used;
}

Status WriteAll(int fd, std::span<const uint8_t> data) {
  while (!data.empty()) {
    const ssize_t put =
        Uninterrupted([&] { return ::write(fd, data.data(), data.size()); });
    if (put > 0) {
      data = data.subspan(static_cast<size_t>(put));
      continue;
    }
    if (put == 0) errno = EIO;  // and would be for ever
    if (!WouldBlock() || !WaitFor(fd, POLLOUT)) {
      return SystemError("cannot write output");
    }
  }
  return OkStatus();
}

void WriteOnce(int fd, const char* text, size_t size_bytes) {
  (void)!::write(fd, text, size_bytes);
}

std::optional<uint64_t> PositionOf(int fd) {
  const off_t position = ::lseek(fd, 0, SEEK_CUR);
  if (position < 0) return {};
  return static_cast<uint64_t>(position);
}

bool SeekTo(int fd, uint64_t offset) {
  return ::lseek(fd, static_cast<off_t>(offset), SEEK_SET) >= 0;
}

bool SeekToEnd(int fd) { return ::lseek(fd, 0, SEEK_END) >= 0; }

bool Truncate(int fd, uint64_t size_bytes) {
  return Uninterrupted([&] {
           return ::ftruncate(fd, static_cast<off_t>(size_bytes));
         }) == 0;
}

bool HasInput(int fd) {
  struct pollfd asked = {fd, POLLIN, 0};
  return ::poll(&asked, 1, 0) != 0;
}

bool IsTerminal(int fd) { return ::isatty(fd) != 0; }

std::optional<size_t> TerminalColumns() {
  struct winsize size;
  if (::ioctl(kStandardError, TIOCGWINSZ, &size) != 0 || size.ws_col == 0) {
    return {};
  }
  return size.ws_col;
}

bool SyncContent(int fd) {
#if defined(__APPLE__)
  return SyncFile(fd);  // there is no other that the device hears of
#else
  return Uninterrupted([fd] { return ::fdatasync(fd); }) == 0 || CannotSync();
#endif
}

bool SyncFile(int fd) {
#if defined(__APPLE__)
  // fsync() does not wait for the device's own cache. Not all file systems
  // know this one.
  if (Uninterrupted([fd] { return ::fcntl(fd, F_FULLFSYNC); }) == 0) {
    return true;
  }
#endif
  return Uninterrupted([fd] { return ::fsync(fd); }) == 0 || CannotSync();
}

void StartSync([[maybe_unused]] int fd) {
#if defined(SYNC_FILE_RANGE_WRITE)
  (void)::sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
#endif
}

bool CloseTells(int fd) {
  const int copy = ::dup(fd);
  return copy < 0 || ::close(copy) == 0 || errno == EINTR;
}

bool LockExclusively(int fd) {
  return Uninterrupted([fd] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0 ||
         errno != EWOULDBLOCK;
}

uint64_t MaxDescriptors() {
  struct rlimit limit;
  return ::getrlimit(RLIMIT_NOFILE, &limit) == 0 ? limit.rlim_cur : 0;
}

void OccupyStandardStreams() {
  for (;;) {
    // The root is always there, and a folder can be neither read nor written.
    const int fd = Uninterrupted([] { return ::open("/", kNameOnly); });
    if (fd > kStandardError) ::close(fd);
    if (fd < 0 || fd > kStandardError) return;
  }
}

}  // namespace llma
