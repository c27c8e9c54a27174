// SPDX-License-Identifier: Apache-2.0
#include "cli/input_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>

#include "cli/descriptors.h"

namespace llma::cli {

Reader FileReader(int fd, uint64_t file_bytes) {
  return {file_bytes, [fd](uint64_t ofs, std::span<uint8_t> buffer) {
            return ReadFileAt(fd, ofs, buffer);
          }};
}

bool IsDirectory(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path) {
  const bool is_stdin = path == "-";
  const int fd = is_stdin ? STDIN_FILENO : OpenForReading(path);
  if (fd < 0) return SystemError(path);
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

Result<Reader> InputFile::MakeReader(uint64_t max_memory_bytes) {
  if (is_regular()) return FileReader(fd_, size_bytes());
  auto all = ReadAll(fd_, max_memory_bytes);
  if (!all) {
    return Error{all.error().code, name_ + ": " + all.error().what};
  }
  buffer_ = *std::move(all);
  return MemoryReader(buffer_);
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
