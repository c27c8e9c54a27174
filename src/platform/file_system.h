// SPDX-License-Identifier: Apache-2.0
// Names of files and folders, by their paths. What fails leaves errno.
#ifndef LLMA_PLATFORM_FILE_SYSTEM_H_
#define LLMA_PLATFORM_FILE_SYSTEM_H_

#include <llma/result.hpp>
#include <optional>
#include <string>
#include <vector>

#include "platform/descriptors.h"

namespace llma {

// Also of a folder that is there already. kIo with errno's text.
Status MakeFolder(const std::string& path);
// With those above it.
Status MakeFolders(const std::string& path);
bool RemoveFile(const std::string& path);
bool RemoveEmptyFolder(const std::string& path);

bool RenameFolder(const std::string& from, const std::string& to);
// Fails if something has the name `to` (EEXIST).
bool MoveToFree(const std::string& from, const std::string& to);

// Held by nobody else while it is open; nothing if somebody holds it. Where a
// link leads is another folder. kIo with errno's text.
Result<std::optional<Descriptor>> HoldFolder(const std::string& path);

// What this user may fill on the device of a folder; nothing if that is not
// known.
std::optional<uint64_t> FreeBytes(const std::string& folder);

// With "/" between the parts. What has no folder is in ".".
std::string FolderOf(const std::string& path);
bool IsAbsolutePath(const std::string& path);
// The parts of a variable like PATH.
std::vector<std::string> SplitPathList(const std::string& text);

// Where programs keep data of this user, and of all users. Empty if the
// environment does not tell.
std::string UserDataFolder();
std::vector<std::string> SystemDataFolders();
// Of this user; empty if it is not known.
std::string HomeFolder();
// That it does not, for messages.
inline constexpr const char* kNoDataFolder =
#if defined(_WIN32)
    "neither LOCALAPPDATA nor XDG_DATA_HOME is set";
#else
    "neither HOME nor XDG_DATA_HOME is set";
#endif

// A folder of its own, empty, which goes with what is in it.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Create();
  TemporaryFolder(TemporaryFolder&& other) noexcept
      : path_(std::exchange(other.path_, "")) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  // Files alone may be in it.
  ~TemporaryFolder();
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

}  // namespace llma

#endif  // LLMA_PLATFORM_FILE_SYSTEM_H_
