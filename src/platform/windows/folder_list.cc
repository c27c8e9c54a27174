// SPDX-License-Identifier: Apache-2.0
#include "platform/folder_list.h"

#include <algorithm>
#include <cerrno>

#include "platform/descriptors.h"
#include "platform/machine/windows/system.h"
#include "platform/windows/file_handle.h"

namespace llma {
namespace {

FileKind KindOf(const WIN32_FIND_DATAW& found) {
  if (IsLinkTag(found.dwFileAttributes, found.dwReserved0)) {
    return FileKind::kLink;
  }
  if (found.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) {
    return FileKind::kFolder;
  }
  return found.dwFileAttributes & FILE_ATTRIBUTE_DEVICE ? FileKind::kOther
                                                        : FileKind::kRegular;
}

}  // namespace

Result<std::vector<FolderEntry>> ListFolder(const std::string& folder) {
  std::wstring pattern = ToFullPath(folder);
  if (pattern.empty()) return SystemError(folder);
  pattern += pattern.ends_with(L'\\') ? L"*" : L"\\*";
  WIN32_FIND_DATAW found;
  const HANDLE search = ::FindFirstFileW(pattern.c_str(), &found);
  std::vector<FolderEntry> entries;
  if (search == INVALID_HANDLE_VALUE) {
    SetErrno();
    // The root of a drive may have nothing in it.
    if (errno == ENOENT && IsDirectory(folder)) return entries;
    if (errno == ENOENT && InfoOf(folder)) errno = ENOTDIR;
    return SystemError(folder);
  }
  do {
    std::string name = FromWide(found.cFileName);
    if (name == "." || name == "..") continue;
    entries.push_back({std::move(name), KindOf(found)});
  } while (::FindNextFileW(search, &found));
  const DWORD error = ::GetLastError();
  ::FindClose(search);
  if (error != ERROR_NO_MORE_FILES) {
    SetErrno(error);
    return SystemError(folder);
  }
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

}  // namespace llma
