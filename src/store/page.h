// SPDX-License-Identifier: Apache-2.0
// A short answer of a host, in memory.
#ifndef LLMA_STORE_PAGE_H_
#define LLMA_STORE_PAGE_H_

#include <cstdint>
#include <vector>

#include "base/status.h"
#include "store/http_client.h"
#include "store/retry_wait.h"

namespace llma::store {

struct PageOptions {
  size_t max_bytes = 0;  // kLimit beyond
  // While the connection or the host fails, or it wants to be asked later.
  int num_tries = 1;
  RetryCallbacks callbacks = {};
};

struct Page {
  std::vector<uint8_t> bytes;  // of status 200 alone
  HttpResponse response;
};

// The last answer, whatever it is; kIo if there is none.
Result<Page> FetchPage(const HttpRequest& request, const PageOptions& options);

}  // namespace llma::store

#endif  // LLMA_STORE_PAGE_H_
