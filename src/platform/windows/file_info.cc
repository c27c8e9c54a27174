// SPDX-License-Identifier: Apache-2.0
#include <fcntl.h>
#include <io.h>

#include <atomic>
#include <cstddef>
#include <cstring>
#include <vector>

#include "platform/windows/file_handle.h"

namespace llma {
namespace {

// As Windows 10 has them; headers may be older. The file of a name that is
// removed or replaced lives on, nameless, for those who have it open.
constexpr auto kDispositionEx = static_cast<FILE_INFO_BY_HANDLE_CLASS>(21);
constexpr auto kRenameEx = static_cast<FILE_INFO_BY_HANDLE_CLASS>(22);
constexpr DWORD kDelete = 1, kDeletePosix = 2;
constexpr DWORD kRenameReplaces = 1, kRenamePosix = 2;

constexpr int64_t kTicksPerSecond = 10000000;
constexpr int64_t kSecondsBefore1970 = 11644473600;

FileTime ToFileTime(int64_t ticks) {
  const int64_t seconds = ticks / kTicksPerSecond;
  return {seconds - kSecondsBefore1970,
          (ticks - seconds * kTicksPerSecond) * 100};
}

int64_t Joined(const FILETIME& time) {
  return static_cast<int64_t>(uint64_t{time.dwHighDateTime} << 32 |
                              time.dwLowDateTime);
}

FILETIME ToTicks(const FileTime& time) {
  const auto ticks = static_cast<uint64_t>((time.seconds + kSecondsBefore1970) *
                                               kTicksPerSecond +
                                           time.nanoseconds / 100);
  FILETIME result;
  result.dwLowDateTime = static_cast<DWORD>(ticks);
  result.dwHighDateTime = static_cast<DWORD>(ticks >> 32);
  return result;
}

// Of a file whose name the system does not know, as Wine has for what was
// opened outside. No two of them are known to be the same.
bool InfoOfNameless(HANDLE handle, BY_HANDLE_FILE_INFORMATION& known) {
  static std::atomic<DWORD> count = 0;
  FILE_STANDARD_INFO size;
  FILE_BASIC_INFO basic;
  if (!::GetFileInformationByHandleEx(handle, FileStandardInfo, &size,
                                      sizeof(size)) ||
      !::GetFileInformationByHandleEx(handle, FileBasicInfo, &basic,
                                      sizeof(basic))) {
    return false;
  }
  const auto split = [](const LARGE_INTEGER& time) {
    return FILETIME{time.LowPart, static_cast<DWORD>(time.HighPart)};
  };
  known.dwFileAttributes = basic.FileAttributes;
  known.ftLastAccessTime = split(basic.LastAccessTime);
  known.ftLastWriteTime = split(basic.LastWriteTime);
  known.nNumberOfLinks = size.NumberOfLinks;
  known.nFileSizeLow = size.EndOfFile.LowPart;
  known.nFileSizeHigh = static_cast<DWORD>(size.EndOfFile.HighPart);
  known.nFileIndexHigh = ~DWORD{0};
  known.nFileIndexLow = ++count;
  return true;
}

}  // namespace

HANDLE HandleOf(int fd) {
  if (fd >= 0) {
    const auto handle = reinterpret_cast<HANDLE>(::_get_osfhandle(fd));
    // -2: a standard stream that the program was started without.
    if (handle != INVALID_HANDLE_VALUE &&
        handle != reinterpret_cast<HANDLE>(intptr_t{-2})) {
      return handle;
    }
  }
  errno = EBADF;
  return INVALID_HANDLE_VALUE;
}

Descriptor ToDescriptor(Handle handle) {
  if (!handle.is_open()) return Descriptor();
  const int fd = ::_open_osfhandle(reinterpret_cast<intptr_t>(handle.get()),
                                   _O_BINARY | _O_NOINHERIT);
  if (fd >= 0) (void)handle.Release();
  return Descriptor(fd);
}

Handle OpenHandle(const std::wstring& path, DWORD access, DWORD disposition,
                  DWORD flags) {
  if (path.empty()) return Handle();
  Handle handle(::CreateFileW(path.c_str(), access, kShareAll, nullptr,
                              disposition, flags, nullptr));
  if (!handle.is_open()) SetErrno();
  return handle;
}

std::optional<FileInfo> InfoOfHandle(HANDLE handle) {
  if (handle == INVALID_HANDLE_VALUE) return {};
  FileInfo info;
  info.num_names = 1;
  info.mode = 0644;
  switch (::GetFileType(handle)) {
    case FILE_TYPE_DISK:
      break;
    case FILE_TYPE_CHAR:
      info.kind = FileKind::kCharDevice;
      return info;
    case FILE_TYPE_PIPE:
      return info;
    default:
      if (::GetLastError() == NO_ERROR) return info;
      SetErrno();
      return {};
  }
  BY_HANDLE_FILE_INFORMATION known = {};
  if (!::GetFileInformationByHandle(handle, &known) &&
      !InfoOfNameless(handle, known)) {
    SetErrno();
    return {};
  }
  FILE_ATTRIBUTE_TAG_INFO tag = {};
  if (known.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) {
    (void)::GetFileInformationByHandleEx(handle, FileAttributeTagInfo, &tag,
                                         sizeof(tag));
  }
  info.kind =
      IsLinkTag(known.dwFileAttributes, tag.ReparseTag)   ? FileKind::kLink
      : known.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY ? FileKind::kFolder
                                                          : FileKind::kRegular;
  if (known.dwFileAttributes & FILE_ATTRIBUTE_READONLY) info.mode = 0444;
  info.device = known.dwVolumeSerialNumber;
  info.number = uint64_t{known.nFileIndexHigh} << 32 | known.nFileIndexLow;
  info.size_bytes = uint64_t{known.nFileSizeHigh} << 32 | known.nFileSizeLow;
  info.num_names = known.nNumberOfLinks;
  info.read_time = ToFileTime(Joined(known.ftLastAccessTime));
  info.written_time = ToFileTime(Joined(known.ftLastWriteTime));
  FILE_BASIC_INFO basic = {};
  if (::GetFileInformationByHandleEx(handle, FileBasicInfo, &basic,
                                     sizeof(basic))) {
    info.changed_time = ToFileTime(basic.ChangeTime.QuadPart);
  }
  return info;
}

bool RemoveByHandle(HANDLE handle) {
  DWORD flags = kDelete | kDeletePosix;
  if (::SetFileInformationByHandle(handle, kDispositionEx, &flags,
                                   sizeof(flags))) {
    return true;
  }
  // File systems without it; the name goes when nobody has the file open.
  FILE_DISPOSITION_INFO plain = {};
  plain.DeleteFile = TRUE;
  if (::SetFileInformationByHandle(handle, FileDispositionInfo, &plain,
                                   sizeof(plain))) {
    return true;
  }
  SetErrno();
  return false;
}

bool RenameByHandle(HANDLE handle, const std::wstring& from,
                    const std::wstring& to, bool replaces) {
  // FILE_RENAME_INFO, whose first member is flags in the newer call.
  struct Rename {
    DWORD flags;
    HANDLE root;
    DWORD name_bytes;
    wchar_t name[1];
  };
  const size_t name_bytes = to.size() * sizeof(wchar_t);
  std::vector<std::byte> buffer(sizeof(Rename) + name_bytes);
  auto* const rename = reinterpret_cast<Rename*>(buffer.data());
  rename->name_bytes = static_cast<DWORD>(name_bytes);
  std::memcpy(rename->name, to.data(), name_bytes);
  rename->flags = (replaces ? kRenameReplaces : 0) | kRenamePosix;
  const auto size_bytes = static_cast<DWORD>(buffer.size());
  if (::SetFileInformationByHandle(handle, kRenameEx, rename, size_bytes)) {
    return true;
  }
  // File systems without it.
  rename->flags = replaces ? kRenameReplaces : 0;
  if (::SetFileInformationByHandle(handle, FileRenameInfo, rename,
                                   size_bytes)) {
    return true;
  }
  const DWORD error = ::GetLastError();
  if (error != ERROR_ALREADY_EXISTS && error != ERROR_FILE_EXISTS &&
      error != ERROR_ACCESS_DENIED &&
      ::MoveFileExW(from.c_str(), to.c_str(),
                    replaces ? MOVEFILE_REPLACE_EXISTING : 0)) {
    return true;
  }
  SetErrno();
  return false;
}

std::optional<FileInfo> InfoOf(int fd) { return InfoOfHandle(HandleOf(fd)); }

std::optional<FileInfo> InfoOf(const std::string& path) {
  const Handle handle = OpenHandle(ToFullPath(path), FILE_READ_ATTRIBUTES);
  return InfoOfHandle(handle.get());
}

std::optional<FileInfo> InfoOfLink(const std::string& path) {
  const Handle handle = OpenHandle(ToFullPath(path), FILE_READ_ATTRIBUTES,
                                   OPEN_EXISTING, kLinkItself);
  return InfoOfHandle(handle.get());
}

bool SetMode(int fd, uint32_t mode) {
  const HANDLE handle = HandleOf(fd);
  FILE_BASIC_INFO info = {};
  if (::GetFileInformationByHandleEx(handle, FileBasicInfo, &info,
                                     sizeof(info))) {
    // Times of 0 stay as they are.
    FILE_BASIC_INFO changed = {};
    changed.FileAttributes =
        info.FileAttributes & ~DWORD{FILE_ATTRIBUTE_READONLY};
    if ((mode & 0200) == 0) changed.FileAttributes |= FILE_ATTRIBUTE_READONLY;
    if (changed.FileAttributes == 0) {
      changed.FileAttributes = FILE_ATTRIBUTE_NORMAL;
    }
    if (changed.FileAttributes == info.FileAttributes ||
        ::SetFileInformationByHandle(handle, FileBasicInfo, &changed,
                                     sizeof(changed))) {
      return true;
    }
  }
  SetErrno();
  return false;
}

bool SetOwner(int, uint32_t) { return true; }
bool SetGroup(int, uint32_t) { return true; }

bool SetTimes(int fd, const std::optional<FileTime>& read_time,
              const FileTime& written_time) {
  const FILETIME read = ToTicks(read_time.value_or(FileTime()));
  const FILETIME written = ToTicks(written_time);
  if (::SetFileTime(HandleOf(fd), nullptr, read_time ? &read : nullptr,
                    &written)) {
    return true;
  }
  SetErrno();
  return false;
}

bool IsSuperuser() { return false; }

// Who may open it may have it.
bool IsOwn(const FileInfo&) { return true; }

}  // namespace llma
