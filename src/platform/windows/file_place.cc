// SPDX-License-Identifier: Apache-2.0
#include "platform/file_place.h"

#include <utility>

#include "platform/windows/file_handle.h"
#include "platform/windows/held_folder.h"

namespace llma {
namespace {

// The longest name that file systems of Windows have, in UTF-16.
constexpr size_t kMaxNameUnits = 255;

Handle OpenFolder(const std::wstring& path) {
  // Others may not rename it.
  Handle folder(::CreateFileW(path.c_str(), FILE_READ_ATTRIBUTES,
                              FILE_SHARE_READ | FILE_SHARE_WRITE, nullptr,
                              OPEN_EXISTING, kAnyKind, nullptr));
  if (!folder.is_open()) SetErrno();
  return folder;
}

std::optional<FileInfo> InfoAt(const std::wstring& path, DWORD flags) {
  const Handle handle =
      OpenHandle(path, FILE_READ_ATTRIBUTES, OPEN_EXISTING, flags);
  return InfoOfHandle(handle.get());
}

}  // namespace

Result<FilePlace> FilePlace::FindFrom(const HeldFolder*,
                                      const std::string& shown,
                                      const std::string& path) {
  const std::wstring full = ToFullPath(path);
  if (full.empty()) return SystemError("cannot open the folder of " + path);
  const size_t start = full.rfind(L'\\') + 1;
  const std::wstring folder_path = full.substr(0, start);
  const std::string name = FromWide(full.substr(start));
  Handle folder;
  if (!full.starts_with(L"\\\\.\\")) {
    folder = OpenFolder(folder_path);
    if (!folder.is_open()) {
      return SystemError("cannot open the folder of " + path);
    }
  }
  const size_t shown_start = path.find_last_of("/\\:") + 1;
  return FilePlace(
      std::make_shared<const HeldFolder>(folder_path, std::move(folder)),
      shown + path.substr(0, shown_start), name);
}

Result<FilePlace> FilePlace::FollowLinks() const {
  const auto info = Info();
  if (!info || info->kind != FileKind::kLink) return *this;
  const Handle target =
      OpenHandle(folder_->PathOf(name_), FILE_READ_ATTRIBUTES);
  std::wstring path(1 << 15, L'\0');
  const DWORD size = target.is_open() ? ::GetFinalPathNameByHandleW(
                                            target.get(), path.data(),
                                            static_cast<DWORD>(path.size()),
                                            FILE_NAME_NORMALIZED)
                                      : 0;
  if (size == 0 || size >= path.size()) {
    SetErrno();
    return SystemError(this->path());
  }
  path.resize(size);
  return FindFrom(nullptr, "", FromWide(path));
}

Descriptor FilePlace::Open(OpenHow how) const {
  const std::wstring path = folder_->PathOf(name_);
  // Renaming and removing go by the file itself, whatever has its name.
  constexpr DWORD kUpdate = GENERIC_READ | GENERIC_WRITE | DELETE;
  if (ToWide(name_).size() > kMaxNameUnits) {
    errno = ENAMETOOLONG;
    return Descriptor();
  }
  switch (how) {
    case OpenHow::kNew:
    case OpenHow::kNewForAll:
      if (folder_->is_of_devices()) {
        errno = EINVAL;
        return Descriptor();
      }
      return ToDescriptor(
          OpenHandle(path, kUpdate, CREATE_NEW, FILE_ATTRIBUTE_NORMAL));
    case OpenHow::kThere:
      return ToDescriptor(OpenHandle(path, kUpdate, OPEN_EXISTING,
                                     FILE_FLAG_OPEN_REPARSE_POINT));
    case OpenHow::kWrite:
      return ToDescriptor(OpenHandle(path, GENERIC_WRITE, OPEN_EXISTING, 0));
    default:
      return ToDescriptor(
          OpenHandle(path, GENERIC_READ, OPEN_EXISTING, kAnyKind));
  }
}

std::optional<FileInfo> FilePlace::Info() const {
  if (ToWide(name_).size() > kMaxNameUnits) {
    errno = ENAMETOOLONG;
    return {};
  }
  return InfoAt(folder_->PathOf(name_), kLinkItself);
}

std::optional<FileInfo> FilePlace::TargetInfo() const {
  return InfoAt(folder_->PathOf(name_), kAnyKind);
}

std::optional<FileInfo> FilePlace::FolderInfo() const {
  return InfoOfHandle(folder_->handle());
}

bool FilePlace::Unlink() const {
  const Handle handle =
      OpenHandle(folder_->PathOf(name_), DELETE, OPEN_EXISTING, kLinkItself);
  return handle.is_open() && RemoveByHandle(handle.get());
}

bool FilePlace::Rename(int fd, const FilePlace& to) const {
  return RenameByHandle(HandleOf(fd), folder_->PathOf(name_),
                        to.folder_->PathOf(to.name_), true);
}

bool FilePlace::RenameToFree(int fd, const FilePlace& to) const {
  return RenameByHandle(HandleOf(fd), folder_->PathOf(name_),
                        to.folder_->PathOf(to.name_), false);
}

// NTFS writes a journal of names by itself.
bool FilePlace::SyncFolder() const { return true; }

}  // namespace llma
