// SPDX-License-Identifier: Apache-2.0
#include "platform/file_info.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/posix/stat_info.h"
#include "platform/posix/uninterrupted.h"

namespace llma {
namespace {

FileTime TimeOf(const struct timespec& time) {
  return {time.tv_sec, time.tv_nsec};
}

struct timespec ToTimespec(const FileTime& time) {
  struct timespec result = {};
  result.tv_sec = static_cast<time_t>(time.seconds);
  result.tv_nsec = static_cast<long>(time.nanoseconds);
  return result;
}

}  // namespace

FileKind KindOfMode(mode_t mode) {
  switch (mode & S_IFMT) {
    case S_IFREG:
      return FileKind::kRegular;
    case S_IFDIR:
      return FileKind::kFolder;
    case S_IFLNK:
      return FileKind::kLink;
    case S_IFBLK:
      return FileKind::kBlockDevice;
    case S_IFCHR:
      return FileKind::kCharDevice;
    default:
      return FileKind::kOther;
  }
}

FileInfo ToFileInfo(const struct stat& info) {
  FileInfo result;
  result.kind = KindOfMode(info.st_mode);
  result.device = static_cast<uint64_t>(info.st_dev);
  result.number = info.st_ino;
  result.size_bytes =
      info.st_size > 0 ? static_cast<uint64_t>(info.st_size) : 0;
  result.num_names = info.st_nlink;
  result.mode = info.st_mode & 07777;
  result.user = info.st_uid;
  result.group = info.st_gid;
#if defined(__APPLE__)
  result.read_time = TimeOf(info.st_atimespec);
  result.written_time = TimeOf(info.st_mtimespec);
  result.changed_time = TimeOf(info.st_ctimespec);
#else
  result.read_time = TimeOf(info.st_atim);
  result.written_time = TimeOf(info.st_mtim);
  result.changed_time = TimeOf(info.st_ctim);
#endif
  return result;
}

std::optional<FileInfo> InfoOf(int fd) {
  struct stat info;
  if (::fstat(fd, &info) != 0) return {};
  return ToFileInfo(info);
}

std::optional<FileInfo> InfoOf(const std::string& path) {
  struct stat info;
  if (::stat(path.c_str(), &info) != 0) return {};
  return ToFileInfo(info);
}

std::optional<FileInfo> InfoOfLink(const std::string& path) {
  struct stat info;
  if (::lstat(path.c_str(), &info) != 0) return {};
  return ToFileInfo(info);
}

bool SetMode(int fd, uint32_t mode) {
  return Uninterrupted(
             [&] { return ::fchmod(fd, static_cast<mode_t>(mode)); }) == 0;
}

bool SetOwner(int fd, uint32_t user) {
  return Uninterrupted(
             [&] { return ::fchown(fd, user, static_cast<gid_t>(-1)); }) == 0;
}

bool SetGroup(int fd, uint32_t group) {
  return Uninterrupted(
             [&] { return ::fchown(fd, static_cast<uid_t>(-1), group); }) == 0;
}

bool SetTimes(int fd, const std::optional<FileTime>& read_time,
              const FileTime& written_time) {
  struct timespec times[2] = {};
  times[0].tv_nsec = UTIME_OMIT;
  if (read_time) times[0] = ToTimespec(*read_time);
  times[1] = ToTimespec(written_time);
  return Uninterrupted([&] { return ::futimens(fd, times); }) == 0;
}

bool IsSuperuser() { return ::geteuid() == 0; }

bool IsOwn(const FileInfo& info) { return info.user == ::geteuid(); }

}  // namespace llma
