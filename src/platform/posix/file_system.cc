// SPDX-License-Identifier: Apache-2.0
#include "platform/file_system.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>

#include "platform/file_info.h"
#include "platform/folder_list.h"
#include "platform/machine/process.h"
#include "platform/posix/uninterrupted.h"

namespace llma {

Status MakeFolder(const std::string& path) {
  if (::mkdir(path.c_str(), 0777) == 0 || errno == EEXIST) return OkStatus();
  return SystemError("cannot create " + path);
}

Status MakeFolders(const std::string& path) {
  if (path.empty() || IsDirectory(path)) return OkStatus();
  const size_t end = path.find_last_not_of('/');
  if (end == std::string::npos) return OkStatus();
  const size_t slash = path.rfind('/', end);
  if (slash != std::string::npos) {
    LLMA_TRY(MakeFolders(path.substr(0, slash)));
  }
  LLMA_TRY(MakeFolder(path));
  if (IsDirectory(path)) return OkStatus();
  if (errno == 0 || InfoOf(path)) errno = ENOTDIR;
  return SystemError("cannot create " + path);
}

bool RemoveFile(const std::string& path) { return ::unlink(path.c_str()) == 0; }

bool RemoveEmptyFolder(const std::string& path) {
  return ::rmdir(path.c_str()) == 0;
}

bool RenameFolder(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str()) == 0;
}

bool MoveToFree(const std::string& from, const std::string& to) {
  if (::link(from.c_str(), to.c_str()) == 0) {
    (void)RemoveFile(from);
    return true;
  }
  const int reason = errno;
  const bool exists = InfoOfLink(to).has_value();
  // Some file systems have no links.
  if (!exists && ::rename(from.c_str(), to.c_str()) == 0) return true;
  errno = exists ? EEXIST : reason;
  return false;
}

Result<std::optional<Descriptor>> HoldFolder(const std::string& path) {
  constexpr int kFlags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
  for (;;) {
    LLMA_TRY(MakeFolder(path));
    Descriptor folder(
        Uninterrupted([&] { return ::open(path.c_str(), kFlags); }));
    if (!folder.is_open()) {
      if (errno == ENOENT) continue;  // gone meanwhile
      return SystemError(path);
    }
    if (!LockExclusively(folder.get())) return std::optional<Descriptor>();
    const auto held = InfoOf(folder.get());
    const auto named = InfoOfLink(path);
    if (held && named && IsSameFile(*held, *named)) {
      return std::optional<Descriptor>(std::move(folder));
    }
  }
}

std::optional<uint64_t> FreeBytes(const std::string& folder) {
  struct statvfs info;
  if (::statvfs(folder.c_str(), &info) != 0) return {};
  return static_cast<uint64_t>(info.f_bavail) * info.f_frsize;
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

bool IsAbsolutePath(const std::string& path) { return path.starts_with('/'); }

std::vector<std::string> SplitPathList(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(':', begin), text.size());
    if (end > begin) parts.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

std::string UserDataFolder() {
  // The XDG rules, also on macOS: a relative path is invalid and ignored.
  const std::string data_home = Environment("XDG_DATA_HOME");
  if (IsAbsolutePath(data_home)) return data_home;
  const std::string home = HomeFolder();
  return home.empty() ? "" : home + "/.local/share";
}

std::vector<std::string> SystemDataFolders() {
#if defined(__APPLE__)
  return {"/usr/local/share", "/opt/homebrew/share"};
#else
  return {"/usr/share"};
#endif
}

std::string HomeFolder() { return Environment("HOME"); }

Result<TemporaryFolder> TemporaryFolder::Create() {
  std::string place = Environment("TMPDIR");
  if (place.empty()) place = "/tmp";
  std::string path = PathIn(place, "llma_XXXXXX");
  if (::mkdtemp(path.data()) != nullptr) return TemporaryFolder(path);
  return Error{ErrorCode::kIo,
               SystemError("cannot make a folder in " + place).what +
                   "; TMPDIR names another place"};
}

}  // namespace llma
