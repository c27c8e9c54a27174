// SPDX-License-Identifier: Apache-2.0
#include "cli/files/output.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "cli/args/option_values.h"
#include "cli/work_report.h"
#include "platform/interruptions.h"

namespace llma::cli {
namespace {

// Holes are made of whole blocks.
constexpr uint64_t kBlockBytes = 4096;

// Only regular files can be harmed by reading and writing them at once.
bool WouldOverwrite(const FileInfo& input, const FileInfo& output) {
  return input.is_regular() && IsSameFile(input, output);
}

// Owner and mode without set-id bits. False if the mode failed, or the owner
// for the superuser: only that one may give a file away.
bool CopyMode(OutputFile& file, const FileInfo& from) {
  uint32_t mode = from.mode & 0777;
  const bool has_owner = SetOwner(file.fd(), from.user);
  if (!SetGroup(file.fd(), from.group)) {
    // Our group may do no more than everybody.
    mode = (mode & 0707) | ((mode & 0007) << 3 & mode);
  }
  return file.SetMode(mode) && (has_owner || !IsSuperuser());
}

bool SetSource(OutputFile& file, const SourceInfo& source) {
  const bool has_mode = file.SetMode(source.mode & 0777);
  return SetTimes(file.fd(), {},
                  {static_cast<int64_t>(source.mtime_seconds),
                   static_cast<int64_t>(source.mtime_nanoseconds)}) &&
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
  const auto check = [&](const FileInfo& there) -> Status {
    const char* what =
        WouldOverwrite(input.info(), there) ? "input"
        : options.reference && WouldOverwrite(*options.reference, there)
            ? "reference"
            : nullptr;
    if (what == nullptr) return OkStatus();
    return Usage(output->name_ + ": the output would overwrite the " + what);
  };
  output->is_stdout_ = is_stdout;
  if (is_stdout) {
    const auto info = InfoOf(kStandardOutput);
    if (info) LLMA_TRY(check(*info));
    output->fd_ = kStandardOutput;
    return output;
  }
  LLMA_ASSIGN(FilePlace place, FilePlace::Find(path));
  const auto info = place.TargetInfo();
  output->replaces_ = info.has_value();
  if (output->replaces_) {
    LLMA_TRY(check(*info));
    if (info->is_folder()) return Usage(path + ": is a directory");
    if (info->kind == FileKind::kBlockDevice) {
      return Usage(path + ": is a block device");
    }
    if (!info->is_regular()) {
      output->opened_ = place.Open(OpenHow::kWrite);
      output->fd_ = output->opened_.get();
      if (output->fd_ < 0) return SystemError(path);
      const auto opened = InfoOf(output->fd_);
      if (!opened || opened->is_regular() ||
          opened->kind == FileKind::kBlockDevice) {
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
    if (!place.Is(*info)) return Usage(path + ": is another file now");
  }
  const InterruptionBlock block;
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
  SetFileToRemoveAtEnd(output->file_->place_to_unlink());
  return output;
}

Output::~Output() {
  if (!file_) return;
  const InterruptionBlock block;
  // Another output may be the one that signals tell of.
  if (!is_current_) return;
  if (KeepsPart()) file_->KeepPart();
  file_.reset();
  SetFileToRemoveAtEnd(nullptr);
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
  if (!llma::SeekTo(fd(), size_bytes_)) return SystemError(name_);
  return WriteZeros(hole_bytes);
}

Status Output::TruncateTo(uint64_t size_bytes) {
  if (!Truncate(fd(), size_bytes) || !llma::SeekTo(fd(), size_bytes)) {
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
  if (input_.is_regular()) {
    copied = CopyMode(*file_, input_);
    copied =
        SetTimes(file_->fd(), input_.read_time, input_.written_time) && copied;
  }
  if (source) copied = SetSource(*file_, *source) && copied;
  LLMA_TRY(Commit());
  return copied;
}

Status Output::Finish() {
  if (!file_) return OkStatus();
  LLMA_TRY(FillHole());
  if (input_.is_regular()) (void)CopyMode(*file_, input_);
  return Commit();
}

// Waits for the device only where something is lost otherwise: the file that is
// replaced. A source that is to be removed waits in SourceRemover; and one that
// stays can be compressed again if the machine fails.
Status Output::Commit() {
  if (replaces_ && syncs_) LLMA_TRY(file_->Sync());
  const InterruptionBlock block;
  const Status status =
      input_.is_regular() && file_->place().Is(input_)
          ? file_->KeepUnnamed(
                Usage(name_ + ": the output would overwrite the input"))
          : file_->Commit();
  if (file_->place_to_unlink()) return status;
  is_current_ = false;
  SetFileToRemoveAtEnd(nullptr);
  SetRemains(Remains::kUnsaid);
  return status;
}

void Output::StartSync() const {
  // Only that all of them are under way before the first is waited for.
  llma::StartSync(file_->fd());
}

bool Output::Sync() const { return SyncFile(file_->fd()); }

bool Output::IsInPlace() const {
  const auto info = InfoOf(file_->fd());
  return info && file_->place().Is(*info);
}

}  // namespace llma::cli
