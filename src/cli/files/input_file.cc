// SPDX-License-Identifier: Apache-2.0
#include "cli/files/input_file.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

namespace llma::cli {
namespace {

bool IsSameTime(const struct timespec& a, const struct timespec& b) {
  return a.tv_sec == b.tv_sec && a.tv_nsec == b.tv_nsec;
}

}  // namespace

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
    const off_t start = ::lseek(STDIN_FILENO, 0, SEEK_CUR);
    if (start > 0) input->start_ = static_cast<uint64_t>(start);
  } else if (may_remove) {
    auto place = FilePlace::Find(path);
    if (!place) return SystemError(path);
    input->place_ = *std::move(place);
    input->file_ = input->place_->Open(O_RDONLY);
    if (input->place_->Stat(&input->named_) != 0) return SystemError(path);
  } else {
    input->file_ = OpenForReading(path);
  }
  if (input->fd() < 0 || ::fstat(input->fd(), &input->info_) != 0) {
    return SystemError(input->name_);
  }
  return input;
}

Result<std::span<const uint8_t>> InputFile::Read() {
  buffer_.resize(kReadBytes);
  const ssize_t got = ReadSome(fd(), buffer_);
  if (got < 0) return SystemError(name_);
  num_read_ += static_cast<uint64_t>(got);
  return std::span<const uint8_t>(buffer_).first(static_cast<size_t>(got));
}

Status InputFile::SeekTo(uint64_t offset) {
  if (::lseek(fd(), static_cast<off_t>(start_ + offset), SEEK_SET) < 0) {
    return SystemError(name_);
  }
  num_read_ = offset;
  return OkStatus();
}

bool InputFile::IsIdle() const {
  struct pollfd asked = {fd(), POLLIN, 0};
  return ::poll(&asked, 1, 0) == 0;
}

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
  if (is_stdin_ && is_regular()) (void)::lseek(fd(), 0, SEEK_END);
}

bool InputFile::HasShrunk() const {
  struct stat now;
  return is_regular() && ::fstat(fd(), &now) == 0 &&
         now.st_size < info_.st_size;
}

Status InputFile::Remove() const {
  const auto keep = [this](const char* why) {
    return Error{ErrorCode::kUsage, name_ + ": " + why + ", so it is kept"};
  };
  struct stat now, target, named;
  if (!place_ || ::fstat(fd(), &now) != 0 || place_->Stat(&named) != 0 ||
      place_->StatTarget(&target) != 0) {
    return SystemError(name_ + ": cannot be removed");
  }
  // Renamed and made anew, as editors and rotated logs do.
  if (!IsSameFile(named, named_) || !IsSameFile(target, info_)) {
    return keep("is another file now");
  }
  if (is_regular() && (now.st_size != info_.st_size ||
                       !IsSameTime(now.st_mtim, info_.st_mtim) ||
                       !IsSameTime(now.st_ctim, info_.st_ctim))) {
    return keep("has changed");
  }
  if (is_regular() && num_read_ != size_bytes()) {
    return keep("has another size than the file system says");
  }
  if (!place_->Unlink()) {
    return SystemError(name_ + ": cannot be removed");
  }
  return OkStatus();
}

}  // namespace llma::cli
