// SPDX-License-Identifier: Apache-2.0
#include "platform/file_place.h"

#include <fcntl.h>
#include <unistd.h>

#include <climits>
#include <utility>

namespace llma {
namespace {

constexpr int kMaxLinks = 40;  // as Linux

Descriptor OpenFolder(int from_fd, const std::string& path) {
  const auto open = [&](int how) {
    return Uninterrupted([&] {
      return ::openat(from_fd, path.c_str(), how | O_DIRECTORY | O_CLOEXEC);
    });
  };
  int fd = open(O_RDONLY);
  // One that may be used but not listed; it cannot be synced then.
  if (fd < 0 && errno == EACCES) fd = open(O_PATH);
  return Descriptor(fd);
}

}  // namespace

Result<FilePlace> FilePlace::FindFrom(int folder_fd, const std::string& shown,
                                      const std::string& path) {
  const size_t start = path.rfind('/') + 1;
  const std::string prefix = path.substr(0, start);
  Descriptor folder = OpenFolder(folder_fd, prefix.empty() ? "." : prefix);
  if (!folder.is_open())
    return SystemError("cannot open the folder of " + path);
  const bool is_relative = !path.starts_with('/');
  return FilePlace(std::make_shared<const Descriptor>(std::move(folder)),
                   (is_relative ? shown : "") + prefix, path.substr(start));
}

Result<FilePlace> FilePlace::Find(const std::string& path) {
  return FindFrom(AT_FDCWD, "", path);
}

Result<FilePlace> FilePlace::FollowLinks() const {
  FilePlace place = *this;
  for (int i = 0; i < kMaxLinks; ++i) {
    struct stat info;
    if (place.Stat(&info) != 0 || !S_ISLNK(info.st_mode)) return place;
    std::string target(PATH_MAX, '\0');
    const ssize_t size = ::readlinkat(place.folder_fd(), place.name_.c_str(),
                                      target.data(), target.size());
    if (size < 0) return SystemError(place.path());
    target.resize(static_cast<size_t>(size));
    LLMA_ASSIGN(place, FindFrom(place.folder_fd(), place.prefix_, target));
  }
  errno = ELOOP;
  return SystemError(path());
}

FilePlace FilePlace::Sibling(const std::string& name) const {
  return FilePlace(folder_, prefix_, name);
}

Descriptor FilePlace::Open(int flags, mode_t mode) const {
  return Descriptor(Uninterrupted([&] {
    return ::openat(folder_fd(), name_.c_str(), flags | O_CLOEXEC, mode);
  }));
}

int FilePlace::Stat(struct stat* info) const {
  return ::fstatat(folder_fd(), name_.c_str(), info, AT_SYMLINK_NOFOLLOW);
}

int FilePlace::StatTarget(struct stat* info) const {
  return ::fstatat(folder_fd(), name_.c_str(), info, 0);
}

bool FilePlace::Is(const struct stat& file) const {
  struct stat now;
  return Stat(&now) == 0 && IsSameFile(now, file);
}

bool FilePlace::Unlink() const {
  return ::unlinkat(folder_fd(), name_.c_str(), 0) == 0;
}

bool FilePlace::SyncFolder() const {
  return SyncFile(folder_fd()) || errno == EBADF;  // see OpenFolder()
}

}  // namespace llma
