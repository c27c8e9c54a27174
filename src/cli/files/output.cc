// SPDX-License-Identifier: Apache-2.0
#include "cli/files/output.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>
#include <vector>

#include "cli/args/option_values.h"
#include "cli/files/signals.h"
#include "cli/work_report.h"

namespace llma::cli {
namespace {

// Holes are made of whole blocks.
constexpr uint64_t kBlockBytes = 4096;

// Only regular files can be harmed by reading and writing them at once.
bool WouldOverwrite(const struct stat& input, const struct stat& output) {
  return S_ISREG(input.st_mode) && IsSameFile(input, output);
}

// Owner and mode without set-id bits. False if the mode failed, or the owner
// for the superuser: only that one may give a file away.
bool CopyMode(OutputFile& file, const struct stat& from) {
  mode_t mode = from.st_mode & 0777;
  const auto give = [&file](uid_t user, gid_t group) {
    return Uninterrupted([&] { return ::fchown(file.fd(), user, group); }) == 0;
  };
  const bool has_owner = give(from.st_uid, static_cast<gid_t>(-1));
  if (!give(static_cast<uid_t>(-1), from.st_gid)) {
    // Our group may do no more than everybody.
    mode = (mode & 0707) | ((mode & 0007) << 3 & mode);
  }
  return file.SetMode(mode) && (has_owner || ::geteuid() != 0);
}

bool SetTimes(int fd, const struct timespec& read,
              const struct timespec& written) {
  const struct timespec times[2] = {read, written};
  return Uninterrupted([&] { return ::futimens(fd, times); }) == 0;
}

bool SetSource(OutputFile& file, const SourceInfo& source) {
  const bool has_mode = file.SetMode(source.mode & 0777);
  return SetTimes(file.fd(), {0, UTIME_OMIT},
                  {static_cast<time_t>(source.mtime_seconds),
                   static_cast<long>(source.mtime_nanoseconds)}) &&
         has_mode;
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
  output->input_ = input.info();
  output->syncs_ = options.syncs;
  const Error is_input =
      Usage(output->name_ + ": the output would overwrite the input");
  struct stat info;
  output->is_stdout_ = is_stdout;
  if (is_stdout) {
    if (::fstat(STDOUT_FILENO, &info) == 0 &&
        WouldOverwrite(input.info(), info)) {
      return is_input;
    }
    output->fd_ = STDOUT_FILENO;
    return output;
  }
  LLMA_ASSIGN(FilePlace place, FilePlace::Find(path));
  output->replaces_ = place.StatTarget(&info) == 0;
  if (output->replaces_) {
    if (WouldOverwrite(input.info(), info)) return is_input;
    if (S_ISDIR(info.st_mode)) return Usage(path + ": is a directory");
    if (S_ISBLK(info.st_mode)) return Usage(path + ": is a block device");
    if (!S_ISREG(info.st_mode)) {
      output->opened_ = place.Open(O_WRONLY | O_NOCTTY);
      output->fd_ = output->opened_.get();
      if (output->fd_ < 0) return SystemError(path);
      if (::fstat(output->fd_, &info) != 0 || S_ISREG(info.st_mode) ||
          S_ISBLK(info.st_mode)) {
        return Usage(path + ": is another file now");
      }
      return output;
    }
    if (!options.may_overwrite) {
      return Usage(path + ": exists already; use -o and -f to overwrite it");
    }
    if (!options.force) {
      return Usage(path + ": exists already; use -f to overwrite it");
    }
    // The file that a link names is replaced, not the link.
    LLMA_ASSIGN(place, place.FollowLinks());
    if (!place.Is(info)) return Usage(path + ": is another file now");
  }
  const SignalBlock block;
  auto file = OutputFile::Create(
      place, {.overwrite = options.force && options.may_overwrite,
              .is_resumable = options.is_resumable,
              .replace_part = options.force,
              .resume = options.resume,
              .keep_part = options.resume,
              .keep_complete = true,
              .has_own_mode = input.is_regular()});
  if (!file) return file.error();
  SetRemains(options.resume            ? Remains::kPart
             : options.keeps_long_work ? Remains::kPartOfLongWork
                                       : Remains::kNothing,
             file->temporary_path());
  output->file_.emplace(*std::move(file));
  output->is_current_ = true;
  SetTemporaryFile(output->file_->place_to_unlink());
  return output;
}

Output::~Output() {
  if (!file_) return;
  const SignalBlock block;
  // Another output may be the one that signals tell of.
  if (!is_current_) return;
  if (KeepsPart()) file_->KeepPart();
  file_.reset();
  SetTemporaryFile(nullptr);
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
  if (!file_) return WriteZeros(size_bytes);
  hole_bytes_ += size_bytes;
  return FillHole();
}

Status Output::WriteZeros(uint64_t size_bytes) {
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
  const uint64_t hole_bytes = std::exchange(hole_bytes_, 0);
  if (TruncateTo(size_bytes_ + hole_bytes)) return OkStatus();
  // Not every file system makes files longer so.
  if (::lseek(fd(), static_cast<off_t>(size_bytes_), SEEK_SET) < 0) {
    return SystemError(name_);
  }
  return WriteZeros(hole_bytes);
}

Status Output::TruncateTo(uint64_t size_bytes) {
  const auto end = static_cast<off_t>(size_bytes);
  if (Uninterrupted([&] { return ::ftruncate(fd(), end); }) != 0 ||
      ::lseek(fd(), end, SEEK_SET) < 0) {
    return SystemError(name_);
  }
  size_bytes_ = size_bytes;
  return OkStatus();
}

Status Output::Flush() {
  if (file_ && syncs_ && !SyncContent(fd())) return SystemError(name_);
  return OkStatus();
}

void Output::DropPart() { SetRemains(Remains::kNothing); }

Result<bool> Output::Finish(const std::optional<SourceInfo>& source) {
  if (!file_) return true;
  LLMA_TRY(FillHole());
  bool copied = true;
  if (S_ISREG(input_.st_mode)) {
    copied = CopyMode(*file_, input_);
    copied = SetTimes(file_->fd(), input_.st_atim, input_.st_mtim) && copied;
  }
  if (source) copied = SetSource(*file_, *source) && copied;
  LLMA_TRY(Commit());
  return copied;
}

Status Output::Finish() {
  if (!file_) return OkStatus();
  LLMA_TRY(FillHole());
  if (S_ISREG(input_.st_mode)) (void)CopyMode(*file_, input_);
  return Commit();
}

// Waits for the device only where something is lost otherwise: the file that is
// replaced. A source that is to be removed waits in SourceRemover; and one that
// stays can be compressed again if the machine fails.
Status Output::Commit() {
  if (replaces_ && syncs_) LLMA_TRY(file_->Sync());
  const SignalBlock block;
  const Status status =
      S_ISREG(input_.st_mode) && file_->place().Is(input_)
          ? file_->KeepUnnamed(
                Usage(name_ + ": the output would overwrite the input"))
          : file_->Commit();
  if (file_->place_to_unlink()) return status;
  is_current_ = false;
  SetTemporaryFile(nullptr);
  SetRemains(Remains::kUnsaid);
  return status;
}

void Output::StartSync() const {
  // Only that all of them are under way before the first is waited for.
  (void)::sync_file_range(file_->fd(), 0, 0, SYNC_FILE_RANGE_WRITE);
}

bool Output::Sync() const { return SyncFile(file_->fd()); }

bool Output::IsInPlace() const {
  struct stat info;
  return ::fstat(file_->fd(), &info) == 0 && file_->place().Is(info);
}

}  // namespace llma::cli
