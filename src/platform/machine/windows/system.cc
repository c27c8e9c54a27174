// SPDX-License-Identifier: Apache-2.0
#include "platform/machine/windows/system.h"

#include <cerrno>
#include <cstdint>

namespace llma {
namespace {

constexpr bool IsHigh(uint32_t unit) { return unit >> 10 == 0xd800 >> 10; }
constexpr bool IsLow(uint32_t unit) { return unit >> 10 == 0xdc00 >> 10; }

// The character that starts at `at`, which moves on. Bytes that are none are
// taken for Latin-1: no other bytes become the same name.
uint32_t NextCharacter(std::string_view text, size_t& at) {
  const auto byte = [&](size_t i) {
    return i < text.size() ? static_cast<uint8_t>(text[i]) : 0u;
  };
  const uint32_t first = byte(at);
  const size_t more = first < 0xc2   ? 0
                      : first < 0xe0 ? 1
                      : first < 0xf0 ? 2
                      : first < 0xf5 ? 3
                                     : 0;
  uint32_t character = more == 0 ? first : first & (0x3f >> more);
  for (size_t i = 1; i <= more; ++i) {
    if (byte(at + i) >> 6 != 2) {
      ++at;
      return first;
    }
    character = character << 6 | (byte(at + i) & 0x3f);
  }
  at += more + 1;
  return character > 0x10ffff ? 0xfffd : character;
}

void AppendUtf8(std::string& text, uint32_t character) {
  const auto add = [&text](uint32_t byte) { text += static_cast<char>(byte); };
  if (character < 0x80) {
    add(character);
  } else if (character < 0x800) {
    add(0xc0 | character >> 6);
    add(0x80 | (character & 0x3f));
  } else if (character < 0x10000) {
    add(0xe0 | character >> 12);
    add(0x80 | (character >> 6 & 0x3f));
    add(0x80 | (character & 0x3f));
  } else {
    add(0xf0 | character >> 18);
    add(0x80 | (character >> 12 & 0x3f));
    add(0x80 | (character >> 6 & 0x3f));
    add(0x80 | (character & 0x3f));
  }
}

struct Meaning {
  DWORD error;
  int number;
};
constexpr Meaning kMeanings[] = {
    {ERROR_FILE_NOT_FOUND, ENOENT},
    {ERROR_PATH_NOT_FOUND, ENOENT},
    {ERROR_INVALID_DRIVE, ENOENT},
    {ERROR_BAD_NETPATH, ENOENT},
    {ERROR_BAD_NET_NAME, ENOENT},
    {ERROR_INVALID_NAME, ENOENT},  // no file has such a name
    {ERROR_BAD_PATHNAME, ENOENT},
    {ERROR_TOO_MANY_OPEN_FILES, EMFILE},
    {ERROR_ACCESS_DENIED, EACCES},
    {ERROR_SHARING_VIOLATION, EACCES},
    {ERROR_LOCK_VIOLATION, EACCES},
    {ERROR_DELETE_PENDING, EACCES},
    {ERROR_PRIVILEGE_NOT_HELD, EPERM},
    {ERROR_WRITE_PROTECT, EROFS},
    {ERROR_INVALID_HANDLE, EBADF},
    {ERROR_NOT_ENOUGH_MEMORY, ENOMEM},
    {ERROR_OUTOFMEMORY, ENOMEM},
    {ERROR_COMMITMENT_LIMIT, ENOMEM},
    {ERROR_NO_SYSTEM_RESOURCES, ENOMEM},
    {ERROR_FILE_EXISTS, EEXIST},
    {ERROR_ALREADY_EXISTS, EEXIST},
    {ERROR_DIR_NOT_EMPTY, ENOTEMPTY},
    {ERROR_DIRECTORY, ENOTDIR},
    {ERROR_HANDLE_DISK_FULL, ENOSPC},
    {ERROR_DISK_FULL, ENOSPC},
    {ERROR_FILE_TOO_LARGE, EFBIG},
    {ERROR_FILENAME_EXCED_RANGE, ENAMETOOLONG},
    {ERROR_NOT_SAME_DEVICE, EXDEV},
    {ERROR_BROKEN_PIPE, EPIPE},
    {ERROR_NO_DATA, EPIPE},
    {ERROR_CANT_RESOLVE_FILENAME, ELOOP},
    {ERROR_INVALID_PARAMETER, EINVAL},
    {ERROR_NEGATIVE_SEEK, EINVAL},
    {ERROR_SEEK, ESPIPE},
    {ERROR_SEEK_ON_DEVICE, ESPIPE},
    {ERROR_NOT_SUPPORTED, ENOSYS},
    {ERROR_INVALID_FUNCTION, ENOSYS},
    {ERROR_CALL_NOT_IMPLEMENTED, ENOSYS},
};

}  // namespace

std::wstring ToWide(std::string_view text) {
  std::wstring wide;
  for (size_t at = 0; at < text.size();) {
    const uint32_t character = NextCharacter(text, at);
    if (character < 0x10000) {
      wide += static_cast<wchar_t>(character);
    } else {
      wide += static_cast<wchar_t>(0xd800 + ((character - 0x10000) >> 10));
      wide += static_cast<wchar_t>(0xdc00 + (character & 0x3ff));
    }
  }
  return wide;
}

std::string FromWide(std::wstring_view wide) {
  std::string text;
  for (size_t i = 0; i < wide.size(); ++i) {
    uint32_t character = wide[i];
    if (IsHigh(character) && i + 1 < wide.size() && IsLow(wide[i + 1])) {
      character = 0x10000 + ((character & 0x3ff) << 10) + (wide[++i] & 0x3ff);
    }
    AppendUtf8(text, character);
  }
  return text;
}

std::wstring ToFullPath(const std::string& path) {
  if (path.empty() || path.find('\0') != std::string::npos) {
    errno = path.empty() ? ENOENT : EINVAL;
    return {};
  }
  const std::wstring wide = ToWide(path);
  std::wstring full(wide.size() + MAX_PATH, L'\0');
  for (;;) {
    const DWORD size = ::GetFullPathNameW(
        wide.c_str(), static_cast<DWORD>(full.size()), full.data(), nullptr);
    if (size == 0) {
      SetErrno();
      return {};
    }
    const bool fits = size < full.size();
    full.resize(size);
    if (fits) break;
  }
  // Devices have "\\.\" in front by now.
  if (full.starts_with(L"\\\\.\\") || full.starts_with(L"\\\\?\\")) return full;
  if (full.starts_with(L"\\\\")) return L"\\\\?\\UNC\\" + full.substr(2);
  return L"\\\\?\\" + full;
}

void SetErrno(DWORD error) {
  for (const Meaning& meaning : kMeanings) {
    if (meaning.error != error) continue;
    errno = meaning.number;
    return;
  }
  errno = EIO;
}

}  // namespace llma
