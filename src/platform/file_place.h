// SPDX-License-Identifier: Apache-2.0
// A name in a folder that is held open: it means the same file whatever
// becomes, meanwhile, of the path that led there. What is named again after it
// was opened is named so.
#ifndef LLMA_PLATFORM_FILE_PLACE_H_
#define LLMA_PLATFORM_FILE_PLACE_H_

#include <llma/result.hpp>
#include <memory>
#include <optional>
#include <string>

#include "platform/descriptors.h"
#include "platform/file_info.h"

namespace llma {

enum class OpenHow {
  kRead,
  // To read and write, for this user alone: one that was not there.
  kNew,
  // The same, with what others may do as the system and the user have it.
  kNewForAll,
  // To read and write what is there: not where a link leads, and without
  // waiting, whatever it is.
  kThere,
  // To write to what is there.
  kWrite,
};

// A folder that is held open, as the system has it.
class HeldFolder;

class FilePlace {
 public:
  // The folder must be there, the file need not. kIo with errno's text.
  static Result<FilePlace> Find(const std::string& path);
  // If it is a link, the place that it leads to, link by link.
  Result<FilePlace> FollowLinks() const;
  // Another name in the same folder.
  FilePlace Sibling(const std::string& name) const;

  const HeldFolder& folder() const { return *folder_; }
  const std::string& name() const { return name_; }
  // For messages: as it was when it was found.
  std::string path() const { return prefix_ + name_; }

  // Not open, and errno, if that fails.
  Descriptor Open(OpenHow how) const;
  // What is there now, of a link the link itself; nothing, and errno, if that
  // fails.
  std::optional<FileInfo> Info() const;
  // Where links lead.
  std::optional<FileInfo> TargetInfo() const;
  std::optional<FileInfo> FolderInfo() const;
  // Whether the name is that of this file now.
  bool Is(const FileInfo& file) const;
  // Removes the name; false and errno if that failed.
  bool Unlink() const;
  // Gives the file of this name, open as `fd`, that of `to`, which another file
  // loses; or fails if there is one (EEXIST). Where the file system cannot do
  // the latter in one step, a file that comes between looking and renaming may
  // be lost.
  bool Rename(int fd, const FilePlace& to) const;
  bool RenameToFree(int fd, const FilePlace& to) const;
  // The folder's entries are on the device; false and errno if that failed.
  bool SyncFolder() const;

 private:
  FilePlace(std::shared_ptr<const HeldFolder> folder, std::string prefix,
            std::string name)
      : folder_(std::move(folder)),
        prefix_(std::move(prefix)),
        name_(std::move(name)) {}
  static Result<FilePlace> FindFrom(const HeldFolder* from,
                                    const std::string& shown,
                                    const std::string& path);

  std::shared_ptr<const HeldFolder> folder_;
  std::string prefix_;  // "a/b/", or nothing
  std::string name_;
};

}  // namespace llma

#endif  // LLMA_PLATFORM_FILE_PLACE_H_
