// SPDX-License-Identifier: Apache-2.0
#include "base/file_io.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace llma {
namespace {

Error IoError(const std::string& what, const std::string& path) {
  return Error{ErrorCode::kIo, what + " " + path + ": " + std::strerror(errno)};
}

// Opens a file for reading, whatever signals arrive.
int OpenForReading(const std::string& path) {
  int fd;
  do {
    fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::string& path) {
  const int fd = OpenForReading(path);
  if (fd < 0) return IoError("cannot open", path);
  struct stat info;
  if (::fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) {
    ::close(fd);
    return Error{ErrorCode::kIo, path + " is not a regular file"};
  }
  const auto size = static_cast<size_t>(info.st_size);
  if (size == 0) {
    ::close(fd);
    return MappedFile(nullptr, 0);
  }
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  ::close(fd);
  if (data == MAP_FAILED) return IoError("cannot map", path);
  return MappedFile(static_cast<const uint8_t*>(data), size);
}

MappedFile::MappedFile(MappedFile&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)),
      size_(std::exchange(other.size_, 0)) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(data_, other.data_);
  std::swap(size_, other.size_);
  return *this;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) ::munmap(const_cast<uint8_t*>(data_), size_);
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
    if (got < 0) return IoError("cannot read", "input");
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
  const int fd = OpenForReading(path);
  if (fd < 0) return IoError("cannot open", path);
  auto data = ReadAll(fd, max_bytes);
  ::close(fd);
  if (!data && data.error().code == ErrorCode::kIo) {
    return Error{ErrorCode::kIo, path + ": " + data.error().what};
  }
  return data;
}

Result<std::vector<uint8_t>> ReadFileAt(int fd, uint64_t offset,
                                        uint64_t size_bytes) {
  // In steps, for the size may be larger than the file.
  constexpr uint64_t kStepBytes = uint64_t{1} << 24;
  std::vector<uint8_t> data;
  while (data.size() < size_bytes) {
    const size_t used = data.size();
    data.resize(used + static_cast<size_t>(
                           std::min<uint64_t>(kStepBytes, size_bytes - used)));
    const ssize_t got = ::pread(fd, data.data() + used, data.size() - used,
                                static_cast<off_t>(offset + used));
    if (got < 0 && errno != EINTR) return IoError("cannot read", "input");
    data.resize(used + static_cast<size_t>(std::max<ssize_t>(got, 0)));
    if (got == 0) break;
  }
  return data;
}

Status WriteAll(int fd, Bytes data) {
  while (!data.empty()) {
    const ssize_t put = ::write(fd, data.data(), data.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return IoError("cannot write", "output");
    data = data.subspan(static_cast<size_t>(put));
  }
  return OkStatus();
}

OutputFile::OutputFile(int fd, std::string path, std::string temporary_path,
                       const OutputFileOptions& options)
    : fd_(fd),
      path_(std::move(path)),
      temporary_path_(std::move(temporary_path)),
      options_(options) {}

Result<OutputFile> OutputFile::CreatePart(const std::string& path,
                                          const OutputFileOptions& options) {
  const std::string part = path + ".part";
  const int fd =
      ::open(part.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) return IoError("cannot create", part);
  const auto fail = [fd](ErrorCode code, std::string what) {
    ::close(fd);
    return Error{code, std::move(what)};
  };
  if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK) {
    return fail(ErrorCode::kUsage, part + ": another process is writing it");
  }
  struct stat opened, named;
  if (::fstat(fd, &opened) != 0 || ::stat(part.c_str(), &named) != 0 ||
      opened.st_ino != named.st_ino || !S_ISREG(opened.st_mode)) {
    return fail(ErrorCode::kUsage, part + ": is not a file of this process");
  }
  if (!options.resume) {
    if (opened.st_size > 0 && !options.overwrite) {
      return fail(ErrorCode::kUsage,
                  part +
                      ": left by an interrupted run; --resume goes on with "
                      "it, -f starts anew");
    }
    if (::ftruncate(fd, 0) != 0) {
      return fail(ErrorCode::kIo, part + ": cannot be emptied");
    }
  }
  return OutputFile(fd, path, part, options);
}

Result<OutputFile> OutputFile::Create(const std::string& path,
                                      const OutputFileOptions& options) {
  struct stat info;
  if (!options.overwrite && ::lstat(path.c_str(), &info) == 0) {
    return Error{ErrorCode::kUsage, path + " exists already"};
  }
  if (options.is_resumable) return CreatePart(path, options);
  std::string temporary = path + ".tmp.XXXXXX";
  const int fd = ::mkostemp(temporary.data(), O_CLOEXEC);
  if (fd < 0) return IoError("cannot create a file beside", path);
  // mkostemp made it private; give it what the user's mask allows.
  const mode_t mask = ::umask(0);
  ::umask(mask);
  if (::fchmod(fd, 0666 & ~mask) != 0) {
    const Error error = IoError("cannot set the mode of", temporary);
    ::close(fd);
    ::unlink(temporary.c_str());
    return error;
  }
  return OutputFile(fd, path, std::move(temporary), options);
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      temporary_path_(std::exchange(other.temporary_path_, {})),
      options_(other.options_) {}

OutputFile::~OutputFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!path_to_unlink().empty()) ::unlink(temporary_path_.c_str());
}

Status OutputFile::Write(Bytes data) {
  Status written = WriteAll(fd_, data);
  if (!written) {
    return Error{written.error().code, path_ + ": " + written.error().what};
  }
  return written;
}

Status OutputFile::Commit() {
  if (::fsync(fd_) != 0 && errno != EINVAL && errno != EROFS) {
    return IoError("cannot flush", path_);
  }
  const int fd = std::exchange(fd_, -1);
  if (::close(fd) != 0) return IoError("cannot close", path_);
  if (options_.overwrite) {
    if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
      return IoError("cannot create", path_);
    }
    temporary_path_.clear();
    return OkStatus();
  }
  // link() fails if somebody made the file meanwhile, rename() would not.
  if (::link(temporary_path_.c_str(), path_.c_str()) != 0) {
    if (errno == EEXIST) {
      return Error{ErrorCode::kUsage, path_ + " exists already"};
    }
    // A file system without hard links.
    if (::rename(temporary_path_.c_str(), path_.c_str()) != 0) {
      return IoError("cannot create", path_);
    }
    temporary_path_.clear();
    return OkStatus();
  }
  ::unlink(temporary_path_.c_str());
  temporary_path_.clear();
  return OkStatus();
}

}  // namespace llma
