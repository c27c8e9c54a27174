// SPDX-License-Identifier: Apache-2.0
// Windows' own names, texts and errors. Include it in windows/ alone.
#ifndef LLMA_PLATFORM_MACHINE_WINDOWS_SYSTEM_H_
#define LLMA_PLATFORM_MACHINE_WINDOWS_SYSTEM_H_

#include <windows.h>

#include <string>
#include <string_view>
#include <utility>

namespace llma {

// UTF-16 and UTF-8; a surrogate without its pair is three bytes (WTF-8), so
// that any name comes back as it was.
std::wstring ToWide(std::string_view text);
std::string FromWide(std::wstring_view text);

// The whole path, with "\\?\" in front where that is allowed, so that its
// length is not limited. Empty, and errno, if there is none.
std::wstring ToFullPath(const std::string& path);

// errno as the last failed call of Windows means it.
void SetErrno(DWORD error = ::GetLastError());

class Handle {
 public:
  explicit Handle(HANDLE handle = INVALID_HANDLE_VALUE) : handle_(handle) {}
  Handle(Handle&& other) noexcept
      : handle_(std::exchange(other.handle_, INVALID_HANDLE_VALUE)) {}
  Handle& operator=(Handle&& other) noexcept {
    std::swap(handle_, other.handle_);
    return *this;
  }
  ~Handle() {
    if (is_open()) ::CloseHandle(handle_);
  }
  HANDLE get() const { return handle_; }
  HANDLE Release() { return std::exchange(handle_, INVALID_HANDLE_VALUE); }
  bool is_open() const { return handle_ != INVALID_HANDLE_VALUE; }

 private:
  HANDLE handle_;
};

}  // namespace llma

#endif  // LLMA_PLATFORM_MACHINE_WINDOWS_SYSTEM_H_
