// SPDX-License-Identifier: Apache-2.0
#include "platform/descriptors.h"

#include <io.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <mutex>

#include "platform/windows/file_handle.h"

namespace llma {
namespace {

constexpr DWORD kVirtualTerminal = 4;  // headers may lack it
// What one call of Windows takes.
constexpr size_t kMaxPartBytes = size_t{1} << 30;
// Of a console, which takes no more than 64 KB of UTF-16 at once.
constexpr size_t kMaxConsoleBytes = size_t{1} << 14;

DWORD PartOf(size_t size_bytes, size_t max_bytes) {
  return static_cast<DWORD>(std::min(size_bytes, max_bytes));
}

bool IsConsole(HANDLE handle) {
  DWORD mode;
  return handle != INVALID_HANDLE_VALUE && ::GetConsoleMode(handle, &mode);
}

bool IsDisk(HANDLE handle) {
  return handle != INVALID_HANDLE_VALUE &&
         ::GetFileType(handle) == FILE_TYPE_DISK;
}

// Bytes at the end that are the start of a character of UTF-8.
size_t UnfinishedBytes(std::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<uint8_t>(text[text.size() - back]);
    if (byte >> 6 == 2) continue;
    const size_t needed = byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2;
    return byte >= 0xc0 && needed > back ? back : 0;
  }
  return 0;
}

// A console takes text. The start of a character waits for its rest.
bool WriteToConsole(HANDLE console, std::string_view text) {
  static std::mutex mutex;
  static std::string waiting;
  const std::lock_guard lock(mutex);
  while (!text.empty()) {
    const std::string_view part =
        text.substr(0, PartOf(text.size(), kMaxConsoleBytes));
    text.remove_prefix(part.size());
    std::string whole = waiting + std::string(part);
    const size_t rest = UnfinishedBytes(whole);
    waiting = whole.substr(whole.size() - rest);
    whole.resize(whole.size() - rest);
    std::wstring wide = ToWide(whole);
    for (std::wstring_view left = wide; !left.empty();) {
      DWORD put = 0;
      if (!::WriteConsoleW(console, left.data(),
                           static_cast<DWORD>(left.size()), &put, nullptr) ||
          put == 0) {
        return false;
      }
      left.remove_prefix(put);
    }
  }
  return true;
}

// A line that is typed; Ctrl-Z at its start is the end.
int64_t ReadFromConsole(HANDLE console, std::span<uint8_t> buffer) {
  static std::mutex mutex;
  static std::string waiting;
  const std::lock_guard lock(mutex);
  if (waiting.empty()) {
    std::array<wchar_t, 4096> line;
    DWORD got = 0;
    if (!::ReadConsoleW(console, line.data(), line.size(), &got, nullptr)) {
      SetErrno();
      return -1;
    }
    if (got == 0 || line[0] == 0x1a) return 0;
    waiting = FromWide({line.data(), got});
    // As the console's own text mode has it.
    for (size_t i = waiting.find("\r\n"); i != std::string::npos;
         i = waiting.find("\r\n", i)) {
      waiting.erase(i, 1);
    }
  }
  const size_t size = std::min(waiting.size(), buffer.size());
  std::memcpy(buffer.data(), waiting.data(), size);
  waiting.erase(0, size);
  return static_cast<int64_t>(size);
}

// What one call reads, at a place or where the file stands.
int64_t ReadPart(HANDLE handle, std::span<uint8_t> buffer,
                 OVERLAPPED* place = nullptr) {
  DWORD got = 0;
  if (::ReadFile(handle, buffer.data(), PartOf(buffer.size(), kMaxPartBytes),
                 &got, place)) {
    return got;
  }
  const DWORD error = ::GetLastError();
  // The end of a file, and of a pipe.
  if (error == ERROR_HANDLE_EOF || error == ERROR_BROKEN_PIPE) return 0;
  SetErrno(error);
  return -1;
}

}  // namespace

Error SystemError(const std::string& what) {
  // Which msvcrt.dll has no words for.
  const bool is_loop = errno == ELOOP;
  return Error{ErrorCode::kIo,
               what + ": " +
                   (is_loop ? "Too many levels of symbolic links"
                            : std::strerror(errno))};
}

Descriptor::~Descriptor() {
  if (fd_ >= 0) ::_close(fd_);
}

Descriptor OpenForReading(const std::string& path) {
  return ToDescriptor(OpenHandle(ToFullPath(path), GENERIC_READ));
}

int64_t ReadSome(int fd, std::span<uint8_t> buffer) {
  const HANDLE handle = HandleOf(fd);
  if (handle == INVALID_HANDLE_VALUE) return -1;
  if (IsConsole(handle)) return ReadFromConsole(handle, buffer);
  return ReadPart(handle, buffer);
}

Result<size_t> ReadFileAt(int fd, uint64_t offset, std::span<uint8_t> buffer) {
  // Reading at a place moves where the file stands, which others rely on.
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  const HANDLE handle = HandleOf(fd);
  const auto position = PositionOf(fd);
  if (!position) return SystemError("cannot read input");
  size_t used = 0;
  int64_t got = 1;
  while (used < buffer.size() && got > 0) {
    OVERLAPPED place = {};
    place.Offset = static_cast<DWORD>(offset + used);
    place.OffsetHigh = static_cast<DWORD>((offset + used) >> 32);
    got = ReadPart(handle, buffer.subspan(used), &place);
    if (got > 0) used += static_cast<size_t>(got);
  }
  if (got < 0 || !SeekTo(fd, *position)) {
    return SystemError("cannot read input");
  }
  return used;
}

Status WriteAll(int fd, std::span<const uint8_t> data) {
  const HANDLE handle = HandleOf(fd);
  if (handle == INVALID_HANDLE_VALUE) {
    return SystemError("cannot write output");
  }
  if (IsConsole(handle)) {
    if (WriteToConsole(handle, {reinterpret_cast<const char*>(data.data()),
                                data.size()})) {
      return OkStatus();
    }
    SetErrno();
    return SystemError("cannot write output");
  }
  while (!data.empty()) {
    DWORD put = 0;
    if (!::WriteFile(handle, data.data(), PartOf(data.size(), kMaxPartBytes),
                     &put, nullptr)) {
      SetErrno();
      return SystemError("cannot write output");
    }
    if (put == 0) {
      errno = EIO;  // and would be for ever
      return SystemError("cannot write output");
    }
    data = data.subspan(put);
  }
  return OkStatus();
}

void WriteOnce(int fd, const char* text, size_t size_bytes) {
  (void)WriteAll(fd, {reinterpret_cast<const uint8_t*>(text), size_bytes})
      .has_value();
}

std::optional<uint64_t> PositionOf(int fd) {
  const HANDLE handle = HandleOf(fd);
  if (!IsDisk(handle)) {
    errno = ESPIPE;
    return {};
  }
  LARGE_INTEGER position;
  if (::SetFilePointerEx(handle, {}, &position, FILE_CURRENT)) {
    return static_cast<uint64_t>(position.QuadPart);
  }
  SetErrno();
  return {};
}

bool SeekTo(int fd, uint64_t offset) {
  const HANDLE handle = HandleOf(fd);
  LARGE_INTEGER place;
  place.QuadPart = static_cast<int64_t>(offset);
  if (!IsDisk(handle)) {
    errno = ESPIPE;
    return false;
  }
  if (::SetFilePointerEx(handle, place, nullptr, FILE_BEGIN)) return true;
  SetErrno();
  return false;
}

bool SeekToEnd(int fd) {
  const auto info = InfoOf(fd);
  return info && SeekTo(fd, info->size_bytes);
}

bool Truncate(int fd, uint64_t size_bytes) {
  FILE_END_OF_FILE_INFO end = {};
  end.EndOfFile.QuadPart = static_cast<int64_t>(size_bytes);
  if (::SetFileInformationByHandle(HandleOf(fd), FileEndOfFileInfo, &end,
                                   sizeof(end))) {
    return true;
  }
  SetErrno();
  return false;
}

bool HasInput(int fd) {
  const HANDLE handle = HandleOf(fd);
  if (handle == INVALID_HANDLE_VALUE) return true;  // an error, at once
  if (::GetFileType(handle) == FILE_TYPE_PIPE) {
    DWORD waiting = 0;
    // A pipe without writers has its end to read.
    return !::PeekNamedPipe(handle, nullptr, 0, nullptr, &waiting, nullptr) ||
           waiting > 0;
  }
  return !IsConsole(handle) ||
         ::WaitForSingleObject(handle, 0) == WAIT_OBJECT_0;
}

bool IsTerminal(int fd) { return IsConsole(HandleOf(fd)); }

std::optional<size_t> TerminalColumns() {
  CONSOLE_SCREEN_BUFFER_INFO info;
  if (!::GetConsoleScreenBufferInfo(HandleOf(kStandardError), &info)) return {};
  return static_cast<size_t>(info.srWindow.Right - info.srWindow.Left + 1);
}

bool SyncContent(int fd) { return SyncFile(fd); }

bool SyncFile(int fd) {
  const HANDLE handle = HandleOf(fd);
  if (handle == INVALID_HANDLE_VALUE) return false;
  if (!IsDisk(handle) || ::FlushFileBuffers(handle)) return true;
  SetErrno();
  // Not open for writing: there is nothing of ours.
  return errno == EACCES || errno == ENOSYS;
}

void StartSync(int) {}

bool CloseTells(int) { return true; }

bool LockExclusively(int fd) {
  // Others could not even read what is locked; so it is a byte that no file
  // has.
  OVERLAPPED place = {};
  place.OffsetHigh = 0x7fffffff;
  return ::LockFileEx(HandleOf(fd),
                      LOCKFILE_EXCLUSIVE_LOCK | LOCKFILE_FAIL_IMMEDIATELY, 0, 1,
                      0, &place) ||
         (::GetLastError() != ERROR_LOCK_VIOLATION &&
          ::GetLastError() != ERROR_IO_PENDING);
}

// As msvcrt.dll has it.
uint64_t MaxDescriptors() { return 2048; }

void OccupyStandardStreams() {
  for (const int fd : {kStandardInput, kStandardOutput, kStandardError}) {
    const HANDLE handle = HandleOf(fd);
    DWORD mode;
    // Consoles know what terminals know only if they are told to.
    if (fd != kStandardInput && ::GetConsoleMode(handle, &mode)) {
      (void)::SetConsoleMode(handle,
                             mode | ENABLE_PROCESSED_OUTPUT | kVirtualTerminal);
    }
    if (handle != INVALID_HANDLE_VALUE) continue;
    // Neither to be read nor to be written.
    const Descriptor none = ToDescriptor(OpenHandle(L"\\\\.\\NUL", 0));
    if (none.is_open()) (void)::_dup2(none.get(), fd);
  }
}

}  // namespace llma
