// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "platform/descriptors.h"
#include "platform/file_system.h"
#include "platform/folder_list.h"

namespace llma {

Result<std::vector<uint8_t>> ReadAll(int fd, uint64_t max_bytes) {
  std::vector<uint8_t> data;
  size_t used = 0;
  for (;;) {
    if (used == data.size()) {
      data.resize(std::max<size_t>(size_t{1} << 16, 2 * data.size()));
    }
    const int64_t got = ReadSome(fd, std::span(data).subspan(used));
    if (got < 0) return SystemError("cannot read input");
    if (got == 0) break;
    used += static_cast<size_t>(got);
    if (used > max_bytes) {
      return Error{ErrorCode::kLimit, "the input is larger than is allowed"};
    }
  }
  data.resize(used);
  return data;
}

Result<std::vector<uint8_t>> ReadFile(const std::string& path,
                                      uint64_t max_bytes) {
  const Descriptor fd = OpenForReading(path);
  if (!fd.is_open()) return SystemError("cannot open " + path);
  auto data = ReadAll(fd.get(), max_bytes);
  if (!data) return Error{data.error().code, path + ": " + data.error().what};
  return data;
}

TemporaryFolder::~TemporaryFolder() {
  if (path_.empty()) return;
  if (const auto entries = ListFolder(path_)) {
    for (const FolderEntry& entry : *entries) {
      (void)RemoveFile(PathIn(path_, entry.name));
    }
  }
  (void)RemoveEmptyFolder(path_);
}

}  // namespace llma
