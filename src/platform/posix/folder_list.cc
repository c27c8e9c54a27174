// SPDX-License-Identifier: Apache-2.0
#include "platform/folder_list.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <memory>

#include "platform/descriptors.h"

namespace llma {
namespace {

struct Close {
  void operator()(DIR* folder) const { ::closedir(folder); }
};

// One that goes away meanwhile is of no kind.
EntryKind KindOf(DIR* folder, const struct dirent& entry) {
  switch (entry.d_type) {
    case DT_REG:
      return EntryKind::kRegular;
    case DT_DIR:
      return EntryKind::kFolder;
    case DT_LNK:
      return EntryKind::kLink;
    case DT_UNKNOWN:
      break;
    default:
      return EntryKind::kOther;
  }
  struct stat info;
  if (::fstatat(::dirfd(folder), entry.d_name, &info, AT_SYMLINK_NOFOLLOW) !=
      0) {
    return EntryKind::kOther;
  }
  return S_ISREG(info.st_mode)   ? EntryKind::kRegular
         : S_ISDIR(info.st_mode) ? EntryKind::kFolder
         : S_ISLNK(info.st_mode) ? EntryKind::kLink
                                 : EntryKind::kOther;
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
