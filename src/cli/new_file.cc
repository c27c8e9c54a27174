// SPDX-License-Identifier: Apache-2.0
#include "cli/new_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <utility>

#include "cli/descriptors.h"

namespace llma::cli {
namespace {

Error IoError(const std::string& what, const std::string& path) {
  return SystemError(what + " " + path);
}

}  // namespace

NewFile::NewFile(int fd, std::string path, std::string temporary_path,
                 const NewFileOptions& options)
    : fd_(fd),
      path_(std::move(path)),
      temporary_path_(std::move(temporary_path)),
      options_(options) {}

Result<NewFile> NewFile::CreatePart(const std::string& path,
                                    const NewFileOptions& options) {
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
  return NewFile(fd, path, part, options);
}

Result<NewFile> NewFile::Create(const std::string& path,
                                const NewFileOptions& options) {
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
  return NewFile(fd, path, std::move(temporary), options);
}

NewFile::NewFile(NewFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      path_(std::move(other.path_)),
      temporary_path_(std::exchange(other.temporary_path_, {})),
      options_(other.options_) {}

NewFile::~NewFile() {
  if (fd_ >= 0) ::close(fd_);
  if (!path_to_unlink().empty()) ::unlink(temporary_path_.c_str());
}

Status NewFile::Commit() {
  if (::fsync(fd_) != 0 && errno != EINVAL && errno != EROFS) {
    return IoError("cannot flush", path_);
  }
  const int fd = std::exchange(fd_, -1);
  if (::close(fd) != 0) return IoError("cannot close", path_);
  // Without `overwrite` it fails if somebody made the file meanwhile.
  const unsigned flags = options_.overwrite ? 0 : RENAME_NOREPLACE;
  const auto rename = [&](unsigned how) {
    return ::renameat2(AT_FDCWD, temporary_path_.c_str(), AT_FDCWD,
                       path_.c_str(), how) == 0;
  };
  // Some file systems know no flags.
  if (!rename(flags) && !(errno == EINVAL && flags != 0 && rename(0))) {
    if (errno != EEXIST) return IoError("cannot create", path_);
    return Error{ErrorCode::kUsage, path_ + " exists already"};
  }
  temporary_path_.clear();
  return OkStatus();
}

}  // namespace llma::cli
