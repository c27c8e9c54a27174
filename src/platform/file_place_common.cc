// SPDX-License-Identifier: Apache-2.0
// What is the same on every system.
#include "platform/file_place.h"

namespace llma {

Result<FilePlace> FilePlace::Find(const std::string& path) {
  return FindFrom(nullptr, "", path);
}

FilePlace FilePlace::Sibling(const std::string& name) const {
  return FilePlace(folder_, prefix_, name);
}

bool FilePlace::Is(const FileInfo& file) const {
  const auto now = Info();
  return now && IsSameFile(*now, file);
}

}  // namespace llma
