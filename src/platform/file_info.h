// SPDX-License-Identifier: Apache-2.0
// What is known of a file, whatever the system.
#ifndef LLMA_PLATFORM_FILE_INFO_H_
#define LLMA_PLATFORM_FILE_INFO_H_

#include <cerrno>
#include <cstdint>
#include <optional>
#include <string>

namespace llma {

enum class FileKind {
  kRegular,
  kFolder,
  kLink,
  kBlockDevice,
  kCharDevice,
  kOther,  // pipes and the like
};

struct FileTime {
  int64_t seconds = 0;  // since 1970
  int64_t nanoseconds = 0;

  bool operator==(const FileTime&) const = default;
};

struct FileInfo {
  bool is_regular() const { return kind == FileKind::kRegular; }
  bool is_folder() const { return kind == FileKind::kFolder; }

  FileKind kind = FileKind::kOther;
  uint64_t device = 0;  // with `number`, what tells the file from all others
  uint64_t number = 0;
  uint64_t size_bytes = 0;
  uint64_t num_names = 0;
  uint32_t mode = 0;  // 07777, as far as the system has it
  uint32_t user = 0, group = 0;
  FileTime read_time, written_time;
  FileTime changed_time;  // of what is known of it, too
};

inline bool IsSameFile(const FileInfo& a, const FileInfo& b) {
  return a.device == b.device && a.number == b.number;
}

// Nothing, and errno, if that failed.
std::optional<FileInfo> InfoOf(int fd);
std::optional<FileInfo> InfoOf(const std::string& path);  // where links lead
std::optional<FileInfo> InfoOfLink(const std::string& path);

// Nothing has this name. False where that cannot be told: opening it says why.
inline bool IsMissing(const std::string& path) {
  return !InfoOfLink(path) && (errno == ENOENT || errno == ENOTDIR);
}
// Perhaps by a link.
inline bool IsDirectory(const std::string& path) {
  const auto info = InfoOf(path);
  return info && info->is_folder();
}
inline bool IsRegularFile(const std::string& path) {
  const auto info = InfoOf(path);
  return info && info->is_regular();
}

// Whether files have modes here, or else what their folder says holds.
#if defined(_WIN32)
inline constexpr bool kHasModes = false;
#else
inline constexpr bool kHasModes = true;
#endif

// False, and errno, if that failed. Without modes it is all about whether the
// owner may write; without owners and groups nothing is done.
bool SetMode(int fd, uint32_t mode);
bool SetOwner(int fd, uint32_t user);
bool SetGroup(int fd, uint32_t group);
// Without a time of reading that stays.
bool SetTimes(int fd, const std::optional<FileTime>& read_time,
              const FileTime& written_time);

// May give files away.
bool IsSuperuser();
// It belongs to this user.
bool IsOwn(const FileInfo& info);

}  // namespace llma

#endif  // LLMA_PLATFORM_FILE_INFO_H_
