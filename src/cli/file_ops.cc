// SPDX-License-Identifier: Apache-2.0
#include "cli/file_ops.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <cstdlib>
#include <cstring>

#include "cli/signals.h"

namespace llma::cli {
namespace {

Error Usage(std::string what) {
  return Error{ErrorCode::kUsage, std::move(what)};
}

Error SystemError(const std::string& name) {
  return Error{ErrorCode::kIo, name + ": " + std::strerror(errno)};
}

// -1 as soon as a call fails for another reason than a signal.
int OpenRetrying(const std::string& path, int flags) {
  int fd;
  do {
    fd = ::open(path.c_str(), flags | O_CLOEXEC);
  } while (fd < 0 && errno == EINTR);
  return fd;
}

bool IsSameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Only regular files can be harmed by reading and writing them at once.
bool WouldOverwrite(const struct stat& input, const struct stat& output) {
  return S_ISREG(input.st_mode) && IsSameFile(input, output);
}

// Owner, mode without set-id bits, and times. False if the mode or the times
// failed; only the superuser may give a file away.
bool CopyMode(int fd, const struct stat& from) {
  mode_t mode = from.st_mode & 0777;
  if (::fchown(fd, from.st_uid, static_cast<gid_t>(-1)) != 0) {
    // It stays ours.
  }
  if (::fchown(fd, static_cast<uid_t>(-1), from.st_gid) != 0) {
    // Our group may do no more than everybody.
    mode = (mode & 0707) | ((mode & 0007) << 3 & mode);
  }
  return ::fchmod(fd, mode) == 0;
}

bool CopyTimes(int fd, const struct stat& from) {
  const struct timespec times[2] = {from.st_atim, from.st_mtim};
  return ::futimens(fd, times) == 0;
}

}  // namespace

bool IsDirectory(const std::string& path) {
  struct stat info;
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

Result<Input> ReadInput(const std::string& path) {
  Input input;
  const bool is_stdin = path == "-";
  input.name = is_stdin ? "(stdin)" : path;
  const int fd = is_stdin ? STDIN_FILENO : OpenRetrying(path, O_RDONLY);
  if (fd < 0) return SystemError(path);
  auto bytes = ::fstat(fd, &input.info) != 0
                   ? Result<std::vector<uint8_t>>(SystemError(input.name))
                   : ReadAll(fd, ~uint64_t{0});
  if (!is_stdin) ::close(fd);
  if (!bytes) return bytes.error();
  input.bytes = *std::move(bytes);
  return input;
}

Result<std::unique_ptr<Output>> Output::Open(const std::string& path,
                                             bool force, const Input& input) {
  const bool is_stdout = path == "-";
  std::unique_ptr<Output> output(new Output(is_stdout ? "(stdout)" : path));
  struct stat info;
  const bool exists = is_stdout ? ::fstat(STDOUT_FILENO, &info) == 0
                                : ::stat(path.c_str(), &info) == 0;
  if (exists && WouldOverwrite(input.info, info)) {
    return Usage(output->name_ + ": the output would overwrite the input");
  }
  if (is_stdout) {
    output->fd_ = STDOUT_FILENO;
    return output;
  }
  std::string target = path;
  if (exists) {
    if (S_ISDIR(info.st_mode)) return Usage(path + ": is a directory");
    if (S_ISBLK(info.st_mode)) return Usage(path + ": is a block device");
    if (!S_ISREG(info.st_mode)) {
      output->fd_ = OpenRetrying(path, O_WRONLY);
      output->owns_fd_ = true;
      if (output->fd_ < 0) return SystemError(path);
      return output;
    }
    if (!force) return Usage(path + ": exists already; use -f to overwrite it");
    // The file that a link names is replaced, not the link.
    char resolved[PATH_MAX];
    if (::realpath(path.c_str(), resolved) != nullptr) target = resolved;
  }
  const SignalBlock block;
  auto file = OutputFile::Create(target, force);
  if (!file) return file.error();
  SetTemporaryFile(file->temporary_path());
  output->file_.emplace(*std::move(file));
  // Now, so that nobody reads what the input's mode forbids.
  if (S_ISREG(input.info.st_mode)) CopyMode(output->file_->fd(), input.info);
  return output;
}

Output::~Output() {
  if (owns_fd_ && fd_ >= 0) ::close(fd_);
  if (!file_) return;
  const SignalBlock block;
  file_.reset();
  SetTemporaryFile({});
}

Result<bool> Output::Finish(Bytes bytes, const Input& input) {
  if (!file_) {
    if (Status status = WriteAll(fd_, bytes); !status) {
      return Error{status.error().code, name_ + ": " + status.error().what};
    }
    return true;
  }
  LLMA_TRY(file_->Write(bytes));
  bool copied = true;
  if (S_ISREG(input.info.st_mode)) {
    copied = CopyMode(file_->fd(), input.info);
    copied = CopyTimes(file_->fd(), input.info) && copied;
  }
  LLMA_TRY(file_->Commit());
  const SignalBlock block;
  SetTemporaryFile({});
  return copied;
}

}  // namespace llma::cli
