// SPDX-License-Identifier: Apache-2.0
#include "cli/input_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "base/file_io.h"

namespace llma::cli {
namespace {

Error SystemError(const std::string& name) {
  return Error{ErrorCode::kIo, name + ": " + std::strerror(errno)};
}

}  // namespace

bool IsDirectory(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path) {
  const bool is_stdin = path == "-";
  int fd = STDIN_FILENO;
  while (!is_stdin && (fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) < 0) {
    if (errno != EINTR) return SystemError(path);
  }
  const std::string name = is_stdin ? "(stdin)" : path;
  struct stat info;
  if (::fstat(fd, &info) != 0) {
    const Error error = SystemError(name);
    if (!is_stdin) ::close(fd);
    return error;
  }
  return std::unique_ptr<InputFile>(new InputFile(name, fd, is_stdin, info));
}

InputFile::~InputFile() {
  if (!is_stdin_) ::close(fd_);
}

Result<std::span<const uint8_t>> InputFile::Read() {
  buffer_.resize(kReadBytes);
  ssize_t got;
  do {
    got = ::read(fd_, buffer_.data(), buffer_.size());
  } while (got < 0 && errno == EINTR);
  if (got < 0) return SystemError(name_);
  return std::span<const uint8_t>(buffer_).first(static_cast<size_t>(got));
}

Status InputFile::SeekTo(uint64_t offset) {
  if (::lseek(fd_, static_cast<off_t>(offset), SEEK_SET) < 0) {
    return SystemError(name_);
  }
  return OkStatus();
}

bool InputFile::IsIdle() const {
  struct pollfd asked = {fd_, POLLIN, 0};
  return ::poll(&asked, 1, 0) == 0;
}

Result<RandomAccess> InputFile::MakeRandomAccess(uint64_t max_memory_bytes) {
  if (is_regular()) {
    return RandomAccess{size_bytes(), [this](uint64_t ofs, uint64_t size) {
                          return ReadFileAt(fd_, ofs, size);
                        }};
  }
  auto all = ReadAll(fd_, max_memory_bytes);
  if (!all) {
    return Error{all.error().code, name_ + ": " + all.error().what};
  }
  buffer_ = *std::move(all);
  return InMemory(buffer_);
}

InputFile::Change InputFile::FindChange() const {
  struct stat now;
  if (!is_regular() || ::fstat(fd_, &now) != 0) return Change::kNone;
  if (now.st_size < info_.st_size) return Change::kShrunk;
  const bool is_same = now.st_size == info_.st_size &&
                       now.st_mtim.tv_sec == info_.st_mtim.tv_sec &&
                       now.st_mtim.tv_nsec == info_.st_mtim.tv_nsec;
  return is_same ? Change::kNone : Change::kTouched;
}

}  // namespace llma::cli
