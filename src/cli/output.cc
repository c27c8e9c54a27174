// SPDX-License-Identifier: Apache-2.0
#include "cli/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstdlib>
#include <utility>
#include <vector>

#include "cli/descriptors.h"
#include "cli/signals.h"
#include "cli/work_report.h"

namespace llma::cli {
namespace {

// Holes are made of whole blocks.
constexpr uint64_t kBlockBytes = 4096;

Error Usage(std::string what) {
  return Error{ErrorCode::kUsage, std::move(what)};
}

bool IsSameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

// Only regular files can be harmed by reading and writing them at once.
bool WouldOverwrite(const struct stat& input, const struct stat& output) {
  return S_ISREG(input.st_mode) && IsSameFile(input, output);
}

// Owner and mode without set-id bits. False if the mode failed; only the
// superuser may give a file away.
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

bool SetSource(int fd, const SourceInfo& source) {
  const struct timespec times[2] = {
      {0, UTIME_OMIT},
      {static_cast<time_t>(source.mtime_seconds),
       static_cast<long>(source.mtime_nanoseconds)}};
  const bool has_mode = ::fchmod(fd, source.mode & 0777) == 0;
  return ::futimens(fd, times) == 0 && has_mode;
}

bool IsAllZero(Bytes bytes) {
  return std::all_of(bytes.begin(), bytes.end(),
                     [](uint8_t byte) { return byte == 0; });
}

}  // namespace

Result<std::unique_ptr<Output>> Output::Open(const std::string& path,
                                             const OutputOptions& options,
                                             const InputFile& input) {
  const bool is_stdout = path == "-";
  std::unique_ptr<Output> output(new Output(is_stdout ? "(stdout)" : path));
  struct stat info;
  const bool exists = is_stdout ? ::fstat(STDOUT_FILENO, &info) == 0
                                : ::stat(path.c_str(), &info) == 0;
  if (exists && WouldOverwrite(input.info(), info)) {
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
      do {
        output->fd_ = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
      } while (output->fd_ < 0 && errno == EINTR);
      output->owns_fd_ = true;
      if (output->fd_ < 0) return SystemError(path);
      return output;
    }
    if (!options.force) {
      return Usage(path + ": exists already; use -f to overwrite it");
    }
    // The file that a link names is replaced, not the link.
    char resolved[PATH_MAX];
    if (::realpath(path.c_str(), resolved) != nullptr) target = resolved;
  }
  const SignalBlock block;
  auto file = NewFile::Create(target, {.overwrite = options.force,
                                       .is_resumable = options.is_resumable,
                                       .resume = options.resume,
                                       .keep_part = options.resume});
  if (!file) return file.error();
  SetTemporaryFile(file->path_to_unlink());
  SetRemains(options.resume            ? Remains::kPart
             : options.keeps_long_work ? Remains::kPartOfLongWork
                                       : Remains::kNothing,
             file->temporary_path());
  output->file_.emplace(*std::move(file));
  // Now, so that nobody reads what the input's mode forbids.
  if (input.is_regular()) CopyMode(output->file_->fd(), input.info());
  return output;
}

Output::~Output() {
  if (owns_fd_ && fd_ >= 0) ::close(fd_);
  if (!file_) return;
  const SignalBlock block;
  if (KeepsPart()) file_->KeepPart();
  file_.reset();
  SetTemporaryFile({});
  SetRemains(Remains::kUnsaid);
}

Status Output::Write(Bytes bytes) {
  if (Status status = WriteAll(fd(), bytes); !status) {
    return Error{status.error().code, name_ + ": " + status.error().what};
  }
  size_bytes_ += bytes.size();
  return OkStatus();
}

Status Output::WriteSparsely(Bytes bytes) {
  if (!file_) return Write(bytes);
  while (!bytes.empty()) {
    // A run of blocks that are all zero, or all not; the file's blocks.
    const auto block_at = [&](size_t ofs) {
      const uint64_t place = size_bytes_ + hole_bytes_ + ofs;
      return bytes.subspan(
          ofs, std::min<size_t>(
                   bytes.size() - ofs,
                   static_cast<size_t>(kBlockBytes - place % kBlockBytes)));
    };
    const auto is_hole = [&](Bytes block) {
      return block.size() == kBlockBytes && IsAllZero(block);
    };
    size_t run_bytes = block_at(0).size();
    const bool is_zero_run = is_hole(block_at(0));
    while (run_bytes < bytes.size() &&
           is_hole(block_at(run_bytes)) == is_zero_run) {
      run_bytes += block_at(run_bytes).size();
    }
    if (is_zero_run) {
      hole_bytes_ += run_bytes;
    } else {
      LLMA_TRY(FillHole());
      LLMA_TRY(Write(bytes.first(run_bytes)));
    }
    bytes = bytes.subspan(run_bytes);
  }
  return OkStatus();
}

Status Output::Skip(uint64_t size_bytes) {
  if (file_) {
    hole_bytes_ += size_bytes;
    return FillHole();
  }
  const std::vector<uint8_t> zeros(kReadBytes);
  while (size_bytes > 0) {
    const auto part =
        static_cast<size_t>(std::min<uint64_t>(size_bytes, zeros.size()));
    LLMA_TRY(Write(Bytes(zeros).first(part)));
    size_bytes -= part;
  }
  return OkStatus();
}

Status Output::FillHole() {
  if (hole_bytes_ == 0) return OkStatus();
  size_bytes_ += std::exchange(hole_bytes_, 0);
  if (::ftruncate(fd(), static_cast<off_t>(size_bytes_)) == 0 &&
      ::lseek(fd(), static_cast<off_t>(size_bytes_), SEEK_SET) >= 0) {
    return OkStatus();
  }
  return SystemError(name_);
}

Status Output::TruncateTo(uint64_t size_bytes) {
  const auto end = static_cast<off_t>(size_bytes);
  if (::ftruncate(fd(), end) != 0 || ::lseek(fd(), end, SEEK_SET) < 0) {
    return SystemError(name_);
  }
  size_bytes_ = size_bytes;
  return OkStatus();
}

Status Output::Flush() {
  if (file_ && ::fdatasync(fd()) != 0 && errno != EINVAL && errno != EROFS) {
    return SystemError(name_);
  }
  return OkStatus();
}

void Output::DropPart() { SetRemains(Remains::kNothing); }

Result<bool> Output::Finish(const InputFile& input,
                            const std::optional<SourceInfo>& source) {
  if (!file_) return true;
  LLMA_TRY(FillHole());
  bool copied = true;
  if (input.is_regular()) {
    copied = CopyMode(file_->fd(), input.info());
    copied = CopyTimes(file_->fd(), input.info()) && copied;
  }
  if (source) copied = SetSource(file_->fd(), *source) && copied;
  LLMA_TRY(Finish());
  return copied;
}

Status Output::Finish() {
  if (!file_) return OkStatus();
  LLMA_TRY(FillHole());
  LLMA_TRY(file_->Commit());
  const SignalBlock block;
  SetTemporaryFile({});
  SetRemains(Remains::kUnsaid);
  return OkStatus();
}

}  // namespace llma::cli
