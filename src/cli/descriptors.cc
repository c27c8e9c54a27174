// SPDX-License-Identifier: Apache-2.0
#include "cli/descriptors.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace llma::cli {

Error SystemError(const std::string& name) {
  return Error{ErrorCode::kIo, name + ": " + std::strerror(errno)};
}

int OpenForReading(const std::string& path) {
  int fd;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

Result<std::vector<uint8_t>> ReadAll(int fd, uint64_t max_bytes) {
  std::vector<uint8_t> data;
  size_t used = 0;
  for (;;) {
    if (used == data.size()) {
      data.resize(std::max<size_t>(size_t{1} << 16, 2 * data.size()));
    }
    const ssize_t got = ::read(fd, data.data() + used, data.size() - used);
    if (got < 0 && errno == EINTR) continue;
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

Result<std::vector<uint8_t>> ReadFile(const std::string& path) {
  const int fd = OpenForReading(path);
  if (fd < 0) return SystemError("cannot open " + path);
  auto data = ReadAll(fd, ~uint64_t{0});
  ::close(fd);
  if (!data) return Error{data.error().code, path + ": " + data.error().what};
  return data;
}

Result<size_t> ReadFileAt(int fd, uint64_t offset, std::span<uint8_t> buffer) {
  size_t used = 0;
  while (used < buffer.size()) {
    const ssize_t got = ::pread(fd, buffer.data() + used, buffer.size() - used,
                                static_cast<off_t>(offset + used));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return SystemError("cannot read input");
    if (got == 0) break;
    used += static_cast<size_t>(got);
  }
  return used;
}

Status WriteAll(int fd, Bytes data) {
  while (!data.empty()) {
    const ssize_t put = ::write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return SystemError("cannot write output");
    data = data.subspan(static_cast<size_t>(put));
  }
  return OkStatus();
}

}  // namespace llma::cli
