// SPDX-License-Identifier: Apache-2.0
#include "platform/folder_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "platform/descriptors.h"
#include "platform/posix/stat_info.h"

namespace llma {
namespace {

struct Close {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// One that goes away meanwhile is of no kind.
FileKind KindOf(DIR* folder, const struct dirent& entry) {
  if (entry.d_type != DT_UNKNOWN) return KindOfMode(DTTOIF(entry.d_type));
  struct stat info;
  const bool is_there =
      ::fstatat(::dirfd(folder), entry.d_name, &info, AT_SYMLINK_NOFOLLOW) == 0;
  return is_there ? KindOfMode(info.st_mode) : FileKind::kOther;
}

}  // namespace

Result<std::vector<FolderEntry>> ListFolder(const std::string& folder) {
  const std::unique_ptr<DIR, Close> open(::opendir(folder.c_str()));
  if (!open) return SystemError(folder);
  std::vector<FolderEntry> entries;
  for (;;) {
    errno = 0;
    const struct dirent* entry = ::readdir(open.get());
    if (entry == nullptr && errno != 0) return SystemError(folder);
    if (entry == nullptr) break;
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    entries.push_back({std::move(name), KindOf(open.get(), *entry)});
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

}  // namespace llma
