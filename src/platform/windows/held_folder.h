// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_PLATFORM_WINDOWS_HELD_FOLDER_H_
#define LLMA_PLATFORM_WINDOWS_HELD_FOLDER_H_

#include <string>

#include "platform/file_place.h"
#include "platform/machine/windows/system.h"

namespace llma {

// While a folder is open, Windows renames neither it nor those above it; so its
// path means the same all the time.
class HeldFolder {
 public:
  // `path` ends with "\". Devices have no folder that is open.
  HeldFolder(std::wstring path, Handle folder)
      : path_(std::move(path)), folder_(std::move(folder)) {}

  HANDLE handle() const { return folder_.get(); }
  bool is_of_devices() const { return path_.starts_with(L"\\\\.\\"); }
  std::wstring PathOf(const std::string& name) const {
    return path_ + ToWide(name);
  }

 private:
  std::wstring path_;
  Handle folder_;
};

}  // namespace llma

#endif  // LLMA_PLATFORM_WINDOWS_HELD_FOLDER_H_
