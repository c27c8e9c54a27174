// SPDX-License-Identifier: Apache-2.0
#include "platform/output_file.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>

#include "base/checksum.h"

namespace llma {
namespace {

constexpr mode_t kPrivate = 0600;
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

uint64_t RandomNumber() {
  uint64_t number = 0;
  if (::getrandom(&number, sizeof(number), GRND_NONBLOCK) !=
      static_cast<ssize_t>(sizeof(number))) {
    // It need only differ; O_EXCL does the rest.
    static uint64_t count = 0;
    const auto now = std::chrono::steady_clock::now().time_since_epoch();
    number = static_cast<uint64_t>(now.count()) ^
             (static_cast<uint64_t>(::getpid()) << 40) ^ (++count << 20);
  }
  return number;
}

struct NewFile {
  Descriptor fd;
  FilePlace place;
};

// A file that was not there before, beside another one; not open, and errno, if
// that failed.
NewFile CreateBeside(const FilePlace& place, mode_t mode) {
  NewFile made = {Descriptor(), place};
  std::string start = place.name();
  for (int i = 0; i < kMaxTries && !made.fd.is_open(); ++i) {
    made.place = place.Sibling(start + ".tmp." + Hex(RandomNumber()).substr(8));
    made.fd = made.place.Open(O_RDWR | O_CREAT | O_EXCL, mode);
    if (made.fd.is_open() || errno == EEXIST) continue;
    if (errno != ENAMETOOLONG || start.size() <= kNameStartBytes) break;
    start = NameStart(start);
  }
  return made;
}

// The mode that new files get here: as the folder, the user's mask and the file
// system have it. The mask alone could be read only by changing it, for all
// threads of the process; so a file is made to see.
Result<mode_t> ModeOfNewFiles(const FilePlace& place) {
  const NewFile made = CreateBeside(place, 0666);
  struct stat info;
  const bool is_known = made.fd.is_open() && ::fstat(made.fd.get(), &info) == 0;
  if (!is_known) {
    const Error error =
        SystemError("cannot create a file beside " + place.path());
    if (made.fd.is_open()) made.place.Unlink();
    return error;
  }
  made.place.Unlink();
  return info.st_mode & 0777;
}

// PLACE.part, or a shorter name that is always the same; and opens it.
NewFile OpenPart(const FilePlace& place, int flags) {
  NewFile part = {Descriptor(), place.Sibling(place.name() + ".part")};
  part.fd = part.place.Open(flags, kPrivate);
  if (part.fd.is_open() || errno != ENAMETOOLONG) return part;
  const std::string& name = place.name();
  const uint64_t hash =
      Xxh3({reinterpret_cast<const uint8_t*>(name.data()), name.size()});
  part.place = place.Sibling(NameStart(name) + "." + Hex(hash) + ".part");
  part.fd = part.place.Open(flags, kPrivate);
  return part;
}

Error Usage(std::string what) {
  return Error{ErrorCode::kUsage, std::move(what)};
}

// Nobody else writes it. Where there are no locks, that is believed.
bool Lock(int fd) {
  return Uninterrupted([fd] { return ::flock(fd, LOCK_EX | LOCK_NB); }) == 0 ||
         errno != EWOULDBLOCK;
}

bool IsNamed(const NewFile& file) {
  struct stat info;
  return ::fstat(file.fd.get(), &info) == 0 && file.place.Is(info);
}

// Whether what was left at PLACE.part is one to go on with: a file with no
// other name that is this user's, or that of who has the folder. Others may
// have it open.
Status CheckResumable(const NewFile& part) {
  struct stat info, folder;
  if (::fstat(part.fd.get(), &info) != 0 ||
      ::fstat(part.place.folder_fd(), &folder) != 0) {
    return SystemError(part.place.path());
  }
  if (S_ISREG(info.st_mode) && info.st_nlink == 1 &&
      (info.st_uid == ::geteuid() || info.st_uid == folder.st_uid)) {
    return OkStatus();
  }
  return Usage(part.place.path() + ": is not a file of yours alone");
}

bool IsEmpty(int fd) {
  struct stat info;
  return ::fstat(fd, &info) == 0 && info.st_size == 0;
}

}  // namespace

Result<OutputFile> OutputFile::CreatePart(const FilePlace& place,
                                          const OutputFileOptions& options) {
  // Opened without waiting, whatever it is.
  constexpr int kFlags = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  for (int i = 0; i < kMaxTries; ++i) {
    NewFile made = OpenPart(place, kFlags | O_CREAT | O_EXCL);
    if (made.fd.is_open()) {
      if (!Lock(made.fd.get()) || !IsNamed(made)) continue;
      return OutputFile(std::move(made.fd), place, std::move(made.place),
                        options);
    }
    if (errno != EEXIST) {
      return SystemError("cannot create " + made.place.path());
    }
    NewFile part = OpenPart(place, kFlags);
    if (!part.fd.is_open()) {
      if (errno == ENOENT) continue;  // gone meanwhile
      return SystemError("cannot create " + part.place.path());
    }
    if (!Lock(part.fd.get()) || !IsNamed(part)) {
      return Usage(part.place.path() + ": another process is writing it");
    }
    if (options.resume) {
      LLMA_TRY(CheckResumable(part));
      // It may have been copied here.
      (void)!::fchmod(part.fd.get(), kPrivate);
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
  NewFile made = CreateBeside(place, kPrivate);
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
  struct stat info;
  const bool exists = place.Stat(&info) == 0;
  // A name that is too long, or a folder that may not be entered: now, not when
  // all is written.
  if (!exists && errno != ENOENT) {
    return SystemError("cannot create " + place.path());
  }
  if (exists && !options.overwrite) {
    return Usage(place.path() + " exists already");
  }
  std::optional<mode_t> mode;
  if (!options.has_own_mode) {
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
  struct stat info;
  // The name may be another file's by now.
  if (place && ::fstat(fd(), &info) == 0 && place->Is(info)) place->Unlink();
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
  if (::lseek(fd(), 0, SEEK_SET) != 0) {
    return SystemError("cannot seek in " + place_.path());
  }
  return Write(data);
}

bool OutputFile::SetMode(mode_t mode) {
  return Uninterrupted([&] { return ::fchmod(fd(), mode); }) == 0;
}

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
  const int copy = ::dup(fd());
  if (copy >= 0 && ::close(copy) != 0 && errno != EINTR) {
    return SystemError("cannot close " + place_.path());
  }
  struct stat info;
  if (::fstat(fd(), &info) != 0) return SystemError(place_.path());
  if (!temporary_->Is(info)) {
    return Error{ErrorCode::kIo, temporary_->path() +
                                     ": was removed or replaced while it was "
                                     "written"};
  }
  if (Status named = Rename(); !named) {
    // Of a file system across a network, which did it but lost the answer.
    if (!place_.Is(info)) return KeepUnnamed(named.error());
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
  const auto rename = [this](unsigned flags) {
    return Uninterrupted([&] {
      return ::renameat2(temporary_->folder_fd(), temporary_->name().c_str(),
                         place_.folder_fd(), place_.name().c_str(), flags);
    });
  };
  const auto plain_rename = [this] {
    return Uninterrupted([this] {
      return ::renameat(temporary_->folder_fd(), temporary_->name().c_str(),
                        place_.folder_fd(), place_.name().c_str());
    });
  };
  const auto failed = [this] {
    if (errno == EEXIST) return Usage(place_.path() + " exists already");
    return SystemError("cannot create " + place_.path());
  };
  if (options_.overwrite) {
    if (plain_rename() != 0) return failed();
    return OkStatus();
  }
  // Without `overwrite` it fails if somebody made the file meanwhile.
  if (rename(RENAME_NOREPLACE) == 0) return OkStatus();
  if (errno == EEXIST) return failed();
  // Kernels, file systems and sandboxes without it. So does a link fail.
  if (::linkat(temporary_->folder_fd(), temporary_->name().c_str(),
               place_.folder_fd(), place_.name().c_str(), 0) == 0) {
    temporary_->Unlink();
    return OkStatus();
  }
  if (errno == EEXIST) return failed();
  struct stat info;
  if (place_.Stat(&info) == 0) errno = EEXIST;
  if (errno != ENOENT || plain_rename() != 0) return failed();
  return OkStatus();
}

}  // namespace llma
