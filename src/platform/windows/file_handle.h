// SPDX-License-Identifier: Apache-2.0
// What stands between descriptors and Windows' handles. Include it in windows/
// alone.
#ifndef LLMA_PLATFORM_WINDOWS_FILE_HANDLE_H_
#define LLMA_PLATFORM_WINDOWS_FILE_HANDLE_H_

#include "platform/descriptors.h"
#include "platform/file_info.h"
#include "platform/machine/windows/system.h"

namespace llma {

// Others may do anything with the file meanwhile, as elsewhere.
inline constexpr DWORD kShareAll =
    FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
// To open folders, too.
inline constexpr DWORD kAnyKind = FILE_FLAG_BACKUP_SEMANTICS;
inline constexpr DWORD kLinkItself = kAnyKind | FILE_FLAG_OPEN_REPARSE_POINT;

// A symbolic link, or a folder that stands for another one.
inline bool IsLinkTag(DWORD attributes, DWORD tag) {
  return (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0 &&
         (tag == IO_REPARSE_TAG_SYMLINK || tag == IO_REPARSE_TAG_MOUNT_POINT);
}

// INVALID_HANDLE_VALUE, and errno, if it is not open.
HANDLE HandleOf(int fd);
// Not open, and errno, if the handle is not.
Descriptor ToDescriptor(Handle handle);

// Not open, and errno, if that fails.
Handle OpenHandle(const std::wstring& path, DWORD access,
                  DWORD disposition = OPEN_EXISTING, DWORD flags = kAnyKind);

std::optional<FileInfo> InfoOfHandle(HANDLE handle);

// Removes the name under which it was opened (DELETE); false, and errno, if
// that failed.
bool RemoveByHandle(HANDLE handle);
// Gives it another name (DELETE), which a file may have only if `replaces`.
bool RenameByHandle(HANDLE handle, const std::wstring& from,
                    const std::wstring& to, bool replaces);

}  // namespace llma

#endif  // LLMA_PLATFORM_WINDOWS_FILE_HANDLE_H_
