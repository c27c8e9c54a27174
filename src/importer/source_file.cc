// SPDX-License-Identifier: Apache-2.0
#include "importer/source_file.h"

#include <string_view>

#include "base/bytes.h"

namespace llma {

Result<MappedFile> OpenSourceFile(const std::string& path) {
  constexpr std::string_view kPointer =
      "version https://git-lfs.github.com/spec/";
  LLMA_ASSIGN(MappedFile file, MappedFile::Open(path));
  if (!AsStringView(file.bytes()).starts_with(kPointer)) return file;
  return Error{ErrorCode::kUnsupported,
               path +
                   ": is not the file, but where Git LFS has it: `git lfs "
                   "pull` in its folder fetches it"};
}

}  // namespace llma
