// SPDX-License-Identifier: Apache-2.0
#include "platform/output_file.h"

#include <algorithm>
#include <cstdio>
#include <cstring>

#include "base/checksum.h"
#include "platform/machine/process.h"

namespace llma {
namespace {

constexpr uint32_t kPrivate = 0600;
constexpr int kMaxTries = 100;
// Of a name that is too long with its ending: what is left has room in file
// systems with names of 143 bytes, too.
constexpr size_t kNameStartBytes = 100;

std::string Hex(uint64_t value) {
  char digits[17];
  std::snprintf(digits, sizeof(digits), "%016llx",
                static_cast<unsigned long long>(value));
  return digits;
}

// The start of a name, without half a character of UTF-8 at its end.
std::string NameStart(const std::string& name) {
  size_t size = std::min(name.size(), kNameStartBytes);
  while (size < name.size() && size > kNameStartBytes - 4 &&
         (static_cast<uint8_t>(name[size]) & 0xc0) == 0x80) {
    --size;
  }
  return name.substr(0, size);
}

struct NewFile {
  Descriptor fd;
  FilePlace place;
};

// A file that was not there before, beside another one; not open, and errno, if
// that failed.
NewFile CreateBeside(const FilePlace& place, OpenHow how) {
  NewFile made = {Descriptor(), place};
  std::string start = place.name();
  for (int i = 0; i < kMaxTries && !made.fd.is_open(); ++i) {
    made.place = place.Sibling(start + ".tmp." + Hex(RandomNumber()).substr(8));
    made.fd = made.place.Open(how);
    if (made.fd.is_open() || errno == EEXIST) continue;
    if (errno != ENAMETOOLONG || start.size() <= kNameStartBytes) break;
    start = NameStart(start);
  }
  return made;
}

// The mode that new files get here: as the folder, the user's mask and the file
// system have it. The mask alone could be read only by changing it, for all
// threads of the process; so a file is made to see.
Result<uint32_t> ModeOfNewFiles(const FilePlace& place) {
  const NewFile made = CreateBeside(place, OpenHow::kNewForAll);
  const auto info =
      made.fd.is_open() ? InfoOf(made.fd.get()) : std::optional<FileInfo>();
  if (!info) {
    const Error error =
        SystemError("cannot create a file beside " + place.path());
    if (made.fd.is_open()) made.place.Unlink();
    return error;
  }
  made.place.Unlink();
  return info->mode & 0777;
}

// PLACE.part, or a shorter name that is always the same; and opens it.
NewFile OpenPart(const FilePlace& place, OpenHow how) {
  NewFile part = {Descriptor(), place.Sibling(place.name() + ".part")};
  part.fd = part.place.Open(how);
  if (part.fd.is_open() || errno != ENAMETOOLONG) return part;
  const std::string& name = place.name();
  const uint64_t hash =
      Xxh3({reinterpret_cast<const uint8_t*>(name.data()), name.size()});
  part.place = place.Sibling(NameStart(name) + "." + Hex(hash) + ".part");
  part.fd = part.place.Open(how);
  return part;
}

Error Usage(std::string what) {
  return Error{ErrorCode::kUsage, std::move(what)};
}

bool IsNamed(const NewFile& file) {
  const auto info = InfoOf(file.fd.get());
  return info && file.place.Is(*info);
}

// Whether what was left at PLACE.part is one to go on with: a file with no
// other name that is this user's, or that of who has the folder. Others may
// have it open.
Status CheckResumable(const NewFile& part) {
  const auto info = InfoOf(part.fd.get());
  const auto folder = part.place.FolderInfo();
  if (!info || !folder) return SystemError(part.place.path());
  if (info->is_regular() && info->num_names == 1 &&
      (IsOwn(*info) || info->user == folder->user)) {
    return OkStatus();
  }
  return Usage(part.place.path() + ": is not a file of yours alone");
}

bool IsEmpty(int fd) {
  const auto info = InfoOf(fd);
  return info && info->size_bytes == 0;
}

}  // namespace

Result<OutputFile> OutputFile::CreatePart(const FilePlace& place,
                                          const OutputFileOptions& options) {
  for (int i = 0; i < kMaxTries; ++i) {
    NewFile made = OpenPart(place, OpenHow::kNew);
    if (made.fd.is_open()) {
      if (!LockExclusively(made.fd.get()) || !IsNamed(made)) continue;
      return OutputFile(std::move(made.fd), place, std::move(made.place),
                        options);
    }
    if (errno != EEXIST) {
      return SystemError("cannot create " + made.place.path());
    }
    NewFile part = OpenPart(place, OpenHow::kThere);
    if (!part.fd.is_open()) {
      if (errno == ENOENT) continue;  // gone meanwhile
      return SystemError("cannot create " + part.place.path());
    }
    if (!LockExclusively(part.fd.get()) || !IsNamed(part)) {
      return Usage(part.place.path() + ": another process is writing it");
    }
    if (options.resume) {
      LLMA_TRY(CheckResumable(part));
      // It may have been copied here.
      (void)llma::SetMode(part.fd.get(), kPrivate);
      return OutputFile(std::move(part.fd), place, std::move(part.place),
                        options);
    }
    if (!options.overwrite && !options.replace_part &&
        !IsEmpty(part.fd.get())) {
      return Usage(part.place.path() +
                   ": left by an interrupted run; --resume goes on with it, -f "
                   "starts anew");
    }
    // A new one, for somebody may have the old one open.
    if (!part.place.Unlink()) return SystemError(part.place.path());
  }
  return Usage(place.path() + ".part: another process is writing it");
}

Result<OutputFile> OutputFile::CreateUnnamed(const FilePlace& place,
                                             const OutputFileOptions& options) {
  NewFile made = CreateBeside(place, OpenHow::kNew);
  if (!made.fd.is_open()) {
    return SystemError("cannot create a file beside " + place.path());
  }
  return OutputFile(std::move(made.fd), place, std::move(made.place), options);
}

Result<OutputFile> OutputFile::Create(const std::string& path,
                                      const OutputFileOptions& options) {
  LLMA_ASSIGN(const FilePlace place, FilePlace::Find(path));
  return Create(place, options);
}

Result<OutputFile> OutputFile::Create(const FilePlace& place,
                                      const OutputFileOptions& options) {
  const bool exists = place.Info().has_value();
  // A name that is too long, or a folder that may not be entered: now, not when
  // all is written.
  if (!exists && errno != ENOENT) {
    return SystemError("cannot create " + place.path());
  }
  if (exists && !options.overwrite) {
    return Usage(place.path() + " exists already");
  }
  std::optional<uint32_t> mode;
  if (kHasModes && !options.has_own_mode) {
    LLMA_ASSIGN(mode, ModeOfNewFiles(place));
  }
  LLMA_ASSIGN(OutputFile file, options.is_resumable
                                   ? CreatePart(place, options)
                                   : CreateUnnamed(place, options));
  file.mode_ = mode;
  return file;
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : fd_(std::move(other.fd_)),
      place_(std::move(other.place_)),
      temporary_(std::exchange(other.temporary_, std::nullopt)),
      options_(other.options_),
      mode_(other.mode_) {}

OutputFile::~OutputFile() {
  const FilePlace* place = place_to_unlink();
  const auto info = place ? InfoOf(fd()) : std::optional<FileInfo>();
  // The name may be another file's by now.
  if (!info || !place->Is(*info)) return;
  // Where it counts, a file that is read-only would stay.
  if (!kHasModes) (void)SetMode(kPrivate);
  place->Unlink();
}

const FilePlace* OutputFile::place_to_unlink() const {
  return temporary_ && !options_.keep_part ? &*temporary_ : nullptr;
}

Status OutputFile::Write(std::span<const uint8_t> data) {
  Status written = WriteAll(fd(), data);
  if (!written) {
    return Error{written.error().code,
                 place_.path() + ": " + written.error().what};
  }
  return written;
}

Status OutputFile::WriteStart(std::span<const uint8_t> data) {
  if (!SeekTo(fd(), 0)) {
    return SystemError("cannot seek in " + place_.path());
  }
  return Write(data);
}

bool OutputFile::SetMode(uint32_t mode) { return llma::SetMode(fd(), mode); }

Status OutputFile::Sync() {
  if (SyncFile(fd())) return OkStatus();
  return SystemError("cannot flush " + place_.path());
}

Status OutputFile::SyncAndCommit() {
  LLMA_TRY(Sync());
  LLMA_TRY(Commit());
  if (place_.SyncFolder()) return OkStatus();
  return SystemError("cannot flush the folder of " + place_.path());
}

Status OutputFile::Commit() {
  // A file system that keeps no modes is no reason to fail.
  if (mode_) (void)SetMode(*mode_);
  // Some file systems tell only here that writing failed. The file itself stays
  // open: it holds the lock, so nobody else can begin one of the same name that
  // would be renamed instead.
  if (!CloseTells(fd())) return SystemError("cannot close " + place_.path());
  const auto info = InfoOf(fd());
  if (!info) return SystemError(place_.path());
  if (!temporary_->Is(*info)) {
    return Error{ErrorCode::kIo, temporary_->path() +
                                     ": was removed or replaced while it was "
                                     "written"};
  }
  if (Status named = Rename(); !named) {
    // Of a file system across a network, which did it but lost the answer.
    if (!place_.Is(*info)) return KeepUnnamed(named.error());
    temporary_->Unlink();
  }
  temporary_.reset();
  return OkStatus();
}

Error OutputFile::KeepUnnamed(Error error) {
  if (!options_.keep_complete) return error;
  options_.keep_part = true;
  error.what += "; the result is complete in " + temporary_->path();
  return error;
}

Status OutputFile::Rename() {
  const bool is_renamed = options_.overwrite
                              ? temporary_->Rename(fd(), place_)
                              : temporary_->RenameToFree(fd(), place_);
  if (is_renamed) return OkStatus();
  if (errno == EEXIST) return Usage(place_.path() + " exists already");
  return SystemError("cannot create " + place_.path());
}

}  // namespace llma
