// SPDX-License-Identifier: Apache-2.0
#include "cli/files/input_file.h"

namespace llma::cli {

Reader FileReader(int fd, uint64_t start, uint64_t file_bytes) {
  return {file_bytes, [fd, start](uint64_t ofs, std::span<uint8_t> buffer) {
            return ReadFileAt(fd, start + ofs, buffer);
          }};
}

Result<std::unique_ptr<InputFile>> InputFile::Open(const std::string& path,
                                                   bool may_remove) {
  const bool is_stdin = path == "-";
  std::unique_ptr<InputFile> input(new InputFile(is_stdin ? "(stdin)" : path));
  input->is_stdin_ = is_stdin;
  if (is_stdin) {
    input->start_ = PositionOf(kStandardInput).value_or(0);
  } else if (may_remove) {
    auto place = FilePlace::Find(path);
    if (!place) return SystemError(path);
    input->place_ = *std::move(place);
    input->file_ = input->place_->Open(OpenHow::kRead);
    const auto named = input->place_->Info();
    if (!named) return SystemError(path);
    input->named_ = *named;
  } else {
    input->file_ = OpenForReading(path);
  }
  if (input->fd() < 0) return SystemError(input->name_);
  const auto info = InfoOf(input->fd());
  if (!info) return SystemError(input->name_);
  input->info_ = *info;
  return input;
}

Result<std::span<const uint8_t>> InputFile::Read() {
  buffer_.resize(kReadBytes);
  const int64_t got = ReadSome(fd(), buffer_);
  if (got < 0) return SystemError(name_);
  num_read_ += static_cast<uint64_t>(got);
  return std::span<const uint8_t>(buffer_).first(static_cast<size_t>(got));
}

Status InputFile::SeekTo(uint64_t offset) {
  if (!llma::SeekTo(fd(), start_ + offset)) return SystemError(name_);
  num_read_ = offset;
  return OkStatus();
}

bool InputFile::IsIdle() const { return !HasInput(fd()); }

std::optional<Reader> InputFile::Peek() const {
  if (!is_regular()) return {};
  return FileReader(fd(), start_, size_bytes());
}

Result<Reader> InputFile::MakeReader(uint64_t max_memory_bytes) {
  if (size_bytes() > 0) return FileReader(fd(), start_, size_bytes());
  auto all = ReadAll(fd(), max_memory_bytes);
  if (!all) {
    return Error{all.error().code, name_ + ": " + all.error().what};
  }
  buffer_ = *std::move(all);
  return MemoryReader(buffer_);
}

void InputFile::MarkRead() {
  if (is_stdin_ && is_regular()) (void)SeekToEnd(fd());
}

bool InputFile::HasShrunk() const {
  const auto now = is_regular() ? InfoOf(fd()) : std::optional<FileInfo>();
  return now && now->size_bytes < info_.size_bytes;
}

Status InputFile::Remove() const {
  const auto keep = [this](const char* why) {
    return Error{ErrorCode::kUsage, name_ + ": " + why + ", so it is kept"};
  };
  const auto now = InfoOf(fd());
  const auto named = now && place_ ? place_->Info() : std::optional<FileInfo>();
  const auto target = named ? place_->TargetInfo() : std::optional<FileInfo>();
  if (!target) return SystemError(name_ + ": cannot be removed");
  // Renamed and made anew, as editors and rotated logs do.
  if (!IsSameFile(*named, named_) || !IsSameFile(*target, info_)) {
    return keep("is another file now");
  }
  if (!is_regular()) return keep("is not a regular file");
  if (now->size_bytes != info_.size_bytes ||
      now->written_time != info_.written_time ||
      now->changed_time != info_.changed_time) {
    return keep("has changed");
  }
  if (num_read_ != size_bytes()) {
    return keep("has another size than the file system says");
  }
  if (!place_->Unlink()) {
    return SystemError(name_ + ": cannot be removed");
  }
  return OkStatus();
}

}  // namespace llma::cli
