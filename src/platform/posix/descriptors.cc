// SPDX-License-Identifier: Apache-2.0
#include "platform/descriptors.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace llma {
namespace {

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

bool IsMissing(const std::string& path) {
  struct stat info;
  return ::lstat(path.c_str(), &info) != 0 &&
         (errno == ENOENT || errno == ENOTDIR);
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Descriptor OpenForReading(const std::string& path) {
  return Descriptor(Uninterrupted(
      [&] { return ::open(path.c_str(), O_RDONLY | O_CLOEXEC); }));
}

ssize_t ReadSome(int fd, std::span<uint8_t> buffer) {
  for (;;) {
    const ssize_t got =
        Uninterrupted([&] { return ::read(fd, buffer.data(), buffer.size()); });
    if (got >= 0 || !WouldBlock() || !WaitFor(fd, POLLIN)) return got;
  }
}

Result<std::vector<uint8_t>> ReadAll(int fd, uint64_t max_bytes) {
  std::vector<uint8_t> data;
  size_t used = 0;
  for (;;) {
    if (used == data.size()) {
      data.resize(std::max<size_t>(size_t{1} << 16, 2 * data.size()));
    }
    const ssize_t got = ReadSome(fd, std::span(data).subspan(used));
    if (got < 0) return SystemError("cannot read input");
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > max_bytes) {
      return Error{ErrorCode::kLimit, "the input is larger than is allowed"};
    }
  }
  data.resize(used);
  return data;
}

Result<std::vector<uint8_t>> ReadFile(const std::string& path,
                                      uint64_t max_bytes) {
  const Descriptor fd = OpenForReading(path);
  if (!fd.is_open()) return SystemError("cannot open " + path);
  auto data = ReadAll(fd.get(), max_bytes);
  if (!data) return Error{data.error().code, path + ": " + data.error().what};
  return data;
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

bool SyncContent(int fd) {
  return Uninterrupted([fd] { return ::fdatasync(fd); }) == 0 || CannotSync();
}

bool SyncFile(int fd) {
  return Uninterrupted([fd] { return ::fsync(fd); }) == 0 || CannotSync();
}

void OccupyStandardStreams() {
  for (;;) {
    // A path alone can be neither read nor written, and the root is always
    // there.
    const int fd = Uninterrupted([] { return ::open("/", O_PATH); });
    if (fd > STDERR_FILENO) ::close(fd);
    if (fd < 0 || fd > STDERR_FILENO) return;
  }
}

}  // namespace llma
