// SPDX-License-Identifier: Apache-2.0
#include "store/page.h"

#include <algorithm>
#include <string>

namespace llma::store {
namespace {

// What may be otherwise the next time.
bool IsPassing(const HttpOutcome& outcome) {
  const long status = outcome.response.status;
  return !outcome.transport_error.empty() || status == 408 || status == 429 ||
         status >= 500;
}

}  // namespace

Result<Page> FetchPage(const HttpRequest& request, const PageOptions& options) {
  for (int failures = 0;;) {
    Page page;
    LLMA_ASSIGN(
        const HttpOutcome outcome,
        HttpGet(
            request,
            {[](const HttpResponse&) { return OkStatus(); },
             [&](Bytes bytes) -> Status {
               if (bytes.size() > options.max_bytes - page.bytes.size()) {
                 return Error{ErrorCode::kLimit, request.url + ": is too long"};
               }
               page.bytes.insert(page.bytes.end(), bytes.begin(), bytes.end());
               return OkStatus();
             }}));
    page.response = outcome.response;
    if (!IsPassing(outcome)) return page;
    if (++failures >= options.num_tries) {
      if (outcome.transport_error.empty()) return page;
      return Error{ErrorCode::kIo,
                   request.url + ": " + outcome.transport_error};
    }
    LLMA_TRY(WaitToRetry(
        request.url,
        std::max(page.response.retry_seconds, SecondsBeforeTry(failures)),
        options.callbacks));
  }
}

}  // namespace llma::store
