// SPDX-License-Identifier: Apache-2.0
#include "platform/file_place.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <cstdio>
#include <utility>

#include "platform/posix/held_folder.h"
#include "platform/posix/stat_info.h"
#include "platform/posix/uninterrupted.h"

namespace llma {
namespace {

constexpr int kMaxLinks = 40;  // as Linux

// To use a folder that may not be listed; it cannot be synced then.
#if defined(O_PATH)
constexpr int kUseOnly = O_PATH;
#elif defined(O_SEARCH)
constexpr int kUseOnly = O_SEARCH;  // as POSIX and macOS have it
#else
constexpr int kUseOnly = O_RDONLY;
#endif

Descriptor OpenFolder(int from_fd, const std::string& path) {
  const auto open = [&](int how) {
    return Uninterrupted([&] {
      return ::openat(from_fd, path.c_str(), how | O_DIRECTORY | O_CLOEXEC);
    });
  };
  int fd = open(O_RDONLY);
  if (fd < 0 && errno == EACCES) fd = open(kUseOnly);
  return Descriptor(fd);
}

std::optional<FileInfo> InfoAt(int folder_fd, const std::string& name,
                               int flags) {
  struct stat info;
  if (::fstatat(folder_fd, name.c_str(), &info, flags) != 0) return {};
  return ToFileInfo(info);
}

bool RenamePlainly(const FilePlace& from, const FilePlace& to) {
  return Uninterrupted([&] {
           return ::renameat(from.folder().fd(), from.name().c_str(),
                             to.folder().fd(), to.name().c_str());
         }) == 0;
}

// In one step, where the kernel and the file system can.
bool RenameExclusively([[maybe_unused]] const FilePlace& from,
                       [[maybe_unused]] const FilePlace& to) {
  return Uninterrupted([&] {
#if defined(__APPLE__)
           return ::renameatx_np(from.folder().fd(), from.name().c_str(),
                                 to.folder().fd(), to.name().c_str(),
                                 RENAME_EXCL);
#elif defined(RENAME_NOREPLACE)
           return ::renameat2(from.folder().fd(), from.name().c_str(),
                              to.folder().fd(), to.name().c_str(),
                              RENAME_NOREPLACE);
#else
           errno = ENOSYS;
           return -1;
#endif
         }) == 0;
}

}  // namespace

Result<FilePlace> FilePlace::FindFrom(const HeldFolder* from,
                                      const std::string& shown,
                                      const std::string& path) {
  const size_t start = path.rfind('/') + 1;
  const std::string prefix = path.substr(0, start);
  Descriptor folder = OpenFolder(from == nullptr ? AT_FDCWD : from->fd(),
                                 prefix.empty() ? "." : prefix);
  if (!folder.is_open())
    return SystemError("cannot open the folder of " + path);
  const bool is_relative = !path.starts_with('/');
  return FilePlace(std::make_shared<const HeldFolder>(std::move(folder)),
                   (is_relative ? shown : "") + prefix, path.substr(start));
}

Result<FilePlace> FilePlace::FollowLinks() const {
  FilePlace place = *this;
  for (int i = 0; i < kMaxLinks; ++i) {
    const auto info = place.Info();
    if (!info || info->kind != FileKind::kLink) return place;
    std::string target(PATH_MAX, '\0');
    const ssize_t size = ::readlinkat(place.folder_->fd(), place.name_.c_str(),
                                      target.data(), target.size());
    if (size < 0) return SystemError(place.path());
    target.resize(static_cast<size_t>(size));
    LLMA_ASSIGN(place, FindFrom(place.folder_.get(), place.prefix_, target));
  }
  errno = ELOOP;
  return SystemError(path());
}

Descriptor FilePlace::Open(OpenHow how) const {
  constexpr int kUpdate = O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY;
  const auto open = [this](int flags, mode_t mode) {
    return Descriptor(Uninterrupted([&] {
      return ::openat(folder_->fd(), name_.c_str(), flags | O_CLOEXEC, mode);
    }));
  };
  switch (how) {
    case OpenHow::kNew:
      return open(kUpdate | O_CREAT | O_EXCL, 0600);
    case OpenHow::kNewForAll:
      return open(kUpdate | O_CREAT | O_EXCL, 0666);
    case OpenHow::kThere:
      return open(kUpdate, 0);
    case OpenHow::kWrite:
      return open(O_WRONLY | O_NOCTTY, 0);
    default:
      return open(O_RDONLY, 0);
  }
}

std::optional<FileInfo> FilePlace::Info() const {
  return InfoAt(folder_->fd(), name_, AT_SYMLINK_NOFOLLOW);
}

std::optional<FileInfo> FilePlace::TargetInfo() const {
  return InfoAt(folder_->fd(), name_, 0);
}

std::optional<FileInfo> FilePlace::FolderInfo() const {
  return InfoOf(folder_->fd());
}

bool FilePlace::Unlink() const {
  return ::unlinkat(folder_->fd(), name_.c_str(), 0) == 0;
}

bool FilePlace::Rename(int, const FilePlace& to) const {
  return RenamePlainly(*this, to);
}

bool FilePlace::RenameToFree(int, const FilePlace& to) const {
  if (RenameExclusively(*this, to)) return true;
  if (errno == EEXIST) return false;
  // Kernels, file systems and sandboxes without it. So does a link fail.
  if (::linkat(folder_->fd(), name_.c_str(), to.folder_->fd(), to.name_.c_str(),
               0) == 0) {
    (void)Unlink();
    return true;
  }
  if (errno == EEXIST) return false;
  if (to.Info()) errno = EEXIST;
  return errno == ENOENT && RenamePlainly(*this, to);
}

bool FilePlace::SyncFolder() const {
  return SyncFile(folder_->fd()) || errno == EBADF;  // see OpenFolder()
}

}  // namespace llma
