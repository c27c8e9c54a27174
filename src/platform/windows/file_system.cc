// SPDX-License-Identifier: Apache-2.0
#include "platform/file_system.h"

#include <algorithm>

#include "platform/folder_list.h"
#include "platform/machine/process.h"
#include "platform/windows/file_handle.h"

namespace llma {
namespace {

std::string WithSlashes(std::string path) {
  std::replace(path.begin(), path.end(), '\\', '/');
  return path;
}

}  // namespace

Status MakeFolder(const std::string& path) {
  if (const std::wstring full = ToFullPath(path); !full.empty()) {
    if (::CreateDirectoryW(full.c_str(), nullptr)) return OkStatus();
    SetErrno();
    if (errno == EEXIST) return OkStatus();
  }
  return SystemError("cannot create " + path);
}

Status MakeFolders(const std::string& path) {
  if (path.empty() || IsDirectory(path)) return OkStatus();
  const size_t end = path.find_last_not_of("/\\");
  if (end == std::string::npos || path[end] == ':') {
    return SystemError("cannot create " + path);
  }
  const size_t slash = path.find_last_of("/\\", end);
  if (slash != std::string::npos) {
    LLMA_TRY(MakeFolders(path.substr(0, slash)));
  }
  LLMA_TRY(MakeFolder(path));
  if (IsDirectory(path)) return OkStatus();
  errno = ENOTDIR;
  return SystemError("cannot create " + path);
}

bool RemoveFile(const std::string& path) {
  const Handle handle =
      OpenHandle(ToFullPath(path), DELETE | FILE_READ_ATTRIBUTES, OPEN_EXISTING,
                 kLinkItself);
  const auto info = InfoOfHandle(handle.get());
  if (info && info->is_folder()) errno = EISDIR;
  return handle.is_open() && info && !info->is_folder() &&
         RemoveByHandle(handle.get());
}

bool RemoveEmptyFolder(const std::string& path) {
  if (::RemoveDirectoryW(ToFullPath(path).c_str())) return true;
  SetErrno();
  return false;
}

bool RenameFolder(const std::string& from, const std::string& to) {
  return MoveToFree(from, to);
}

bool MoveToFree(const std::string& from, const std::string& to) {
  if (::MoveFileExW(ToFullPath(from).c_str(), ToFullPath(to).c_str(), 0)) {
    return true;
  }
  SetErrno();
  return false;
}

// A folder cannot be locked, but a file beside it, which goes when it is
// closed.
Result<std::optional<Descriptor>> HoldFolder(const std::string& path) {
  LLMA_TRY(MakeFolder(path));
  Handle lock(::CreateFileW(ToFullPath(path + ".lock").c_str(),
                            GENERIC_WRITE | DELETE, 0, nullptr, OPEN_ALWAYS,
                            FILE_FLAG_DELETE_ON_CLOSE, nullptr));
  if (lock.is_open()) {
    return std::optional<Descriptor>(ToDescriptor(std::move(lock)));
  }
  if (::GetLastError() == ERROR_SHARING_VIOLATION ||
      ::GetLastError() == ERROR_ACCESS_DENIED) {
    return std::optional<Descriptor>();
  }
  SetErrno();
  return SystemError(path + ".lock");
}

std::optional<uint64_t> FreeBytes(const std::string& folder) {
  ULARGE_INTEGER bytes;
  if (!::GetDiskFreeSpaceExW(ToFullPath(folder).c_str(), &bytes, nullptr,
                             nullptr)) {
    return {};
  }
  return bytes.QuadPart;
}

std::string FolderOf(const std::string& path) {
  const size_t end = path.find_last_of("/\\:");
  return end == std::string::npos ? "." : path.substr(0, end + 1);
}

bool IsAbsolutePath(const std::string& path) {
  const bool has_drive =
      path.size() > 2 && path[1] == ':' && (path[2] == '/' || path[2] == '\\');
  // Also the root of the drive in use, and names of a network.
  return has_drive || path.starts_with('/') || path.starts_with('\\');
}

std::vector<std::string> SplitPathList(const std::string& text) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= text.size();) {
    const size_t end = std::min(text.find(';', begin), text.size());
    if (end > begin) {
      parts.push_back(WithSlashes(text.substr(begin, end - begin)));
    }
    begin = end + 1;
  }
  return parts;
}

std::string UserDataFolder() {
  const std::string data_home = Environment("XDG_DATA_HOME");
  if (IsAbsolutePath(data_home)) return WithSlashes(data_home);
  return WithSlashes(Environment("LOCALAPPDATA"));
}

std::vector<std::string> SystemDataFolders() {
  const std::string folder = WithSlashes(Environment("ProgramData"));
  if (folder.empty()) return {};
  return {folder};
}

std::string HomeFolder() { return WithSlashes(Environment("USERPROFILE")); }

Result<TemporaryFolder> TemporaryFolder::Create() {
  std::wstring place(MAX_PATH + 2, L'\0');
  place.resize(::GetTempPathW(static_cast<DWORD>(place.size()), place.data()));
  const std::string path =
      WithSlashes(FromWide(place)) + "llma_" + std::to_string(RandomNumber());
  if (::CreateDirectoryW(ToFullPath(path).c_str(), nullptr)) {
    return TemporaryFolder(path);
  }
  SetErrno();
  return Error{ErrorCode::kIo,
               SystemError("cannot make a folder in " + FromWide(place)).what +
                   "; TEMP names another place"};
}

}  // namespace llma
