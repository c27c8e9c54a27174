// SPDX-License-Identifier: Apache-2.0
// A plain archive (ustar, POSIX.1-1988): the same files give the same bytes.
#ifndef LLMA_STORE_TAR_WRITER_H_
#define LLMA_STORE_TAR_WRITER_H_

#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace llma::store {

class TarWriter {
 public:
  explicit TarWriter(std::function<Status(Bytes)> sink)
      : sink_(std::move(sink)) {}

  // A file that anybody may read. `name`: at most 100 bytes, with its folders;
  // `content`: less than 8 GiB, else kLimit.
  Status Add(const std::string& name, Bytes content);
  Status Finish();

 private:
  std::function<Status(Bytes)> sink_;
};

}  // namespace llma::store

#endif  // LLMA_STORE_TAR_WRITER_H_
