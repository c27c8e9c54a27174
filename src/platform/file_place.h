// SPDX-License-Identifier: Apache-2.0
// A name in a folder that is held open: it means the same file whatever
// becomes, meanwhile, of the path that led there. What is named again after it
// was opened is named so.
#ifndef LLMA_PLATFORM_FILE_PLACE_H_
#define LLMA_PLATFORM_FILE_PLACE_H_

#include <sys/stat.h>

#include <llma/result.hpp>
#include <memory>
#include <string>

#include "platform/descriptors.h"

namespace llma {

inline bool IsSameFile(const struct stat& a, const struct stat& b) {
  return a.st_dev == b.st_dev && a.st_ino == b.st_ino;
}

class FilePlace {
 public:
  // The folder must be there, the file need not. kIo with errno's text.
  static Result<FilePlace> Find(const std::string& path);
  // If it is a link, the place that it leads to, link by link.
  Result<FilePlace> FollowLinks() const;
  // Another name in the same folder.
  FilePlace Sibling(const std::string& name) const;

  int folder_fd() const { return folder_->get(); }
  const std::string& name() const { return name_; }
  // For messages: as it was when it was found.
  std::string path() const { return prefix_ + name_; }

  // As open(2); not open, and errno, if that fails.
  Descriptor Open(int flags, mode_t mode = 0) const;
  // What is there now, of a link the link itself; -1 and errno as lstat(2).
  int Stat(struct stat* info) const;
  // Where links lead.
  int StatTarget(struct stat* info) const;
  // Whether the name is that of this file now.
  bool Is(const struct stat& file) const;
  // Removes the name; false and errno if that failed.
  bool Unlink() const;
  // The folder's entries are on the device; false and errno if that failed.
  bool SyncFolder() const;

 private:
  FilePlace(std::shared_ptr<const Descriptor> folder, std::string prefix,
            std::string name)
      : folder_(std::move(folder)),
        prefix_(std::move(prefix)),
        name_(std::move(name)) {}
  static Result<FilePlace> FindFrom(int folder_fd, const std::string& shown,
                                    const std::string& path);

  std::shared_ptr<const Descriptor> folder_;
  std::string prefix_;  // "a/b/", or nothing
  std::string name_;
};

}  // namespace llma

#endif  // LLMA_PLATFORM_FILE_PLACE_H_
