// SPDX-License-Identifier: Apache-2.0
// What is in a folder. std::filesystem's iterators end the process where memory
// runs out (libstdc++ 12), so they are used nowhere.
#ifndef LLMA_PLATFORM_FOLDER_LIST_H_
#define LLMA_PLATFORM_FOLDER_LIST_H_

#include <llma/result.hpp>
#include <string>
#include <vector>

#include "platform/file_info.h"

namespace llma {

struct FolderEntry {
  std::string name;
  FileKind kind;  // of a link, not of what it leads to
};

// All but "." and "..", sorted by name. kIo with errno's text.
Result<std::vector<FolderEntry>> ListFolder(const std::string& folder);

// FOLDER/NAME.
inline std::string PathIn(const std::string& folder, const std::string& name) {
  const bool needs_slash = !folder.empty() && !folder.ends_with('/');
  return folder + (needs_slash ? "/" : "") + name;
}

}  // namespace llma

#endif  // LLMA_PLATFORM_FOLDER_LIST_H_
