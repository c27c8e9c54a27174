// SPDX-License-Identifier: Apache-2.0
// Before a host is asked again.
#ifndef LLMA_STORE_RETRY_WAIT_H_
#define LLMA_STORE_RETRY_WAIT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "base/status.h"

namespace llma::store {

struct RetryCallbacks {
  std::function<bool()> go_on;                   // false ends the wait
  std::function<void(const std::string&)> note;  // where it takes long
};

// How long to wait if it failed this many times in a row: not at all, then 1,
// 2, 4, ... seconds.
uint64_t SecondsBeforeTry(int num_failures);

// kIo if a host asks for more time than one waits: at most the five minutes
// that the hub's limits are of. kCancelled if it was ended.
Status WaitToRetry(const std::string& url, uint64_t seconds,
                   const RetryCallbacks& callbacks);

}  // namespace llma::store

#endif  // LLMA_STORE_RETRY_WAIT_H_
