// SPDX-License-Identifier: Apache-2.0
// What git calls a file's content: SHA-1 of its size and its bytes, in 40
// hexadecimal digits. It is all that the hub says of its small files.
#ifndef LLMA_STORE_GIT_BLOB_H_
#define LLMA_STORE_GIT_BLOB_H_

#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace llma::store {

// True for 40 hexadecimal digits in lower case: a blob, or a commit.
bool IsGitId(const std::string& text);

std::string GitBlobId(Bytes content);
Result<std::string> GitBlobIdOfFile(const std::string& path);

}  // namespace llma::store

#endif  // LLMA_STORE_GIT_BLOB_H_
