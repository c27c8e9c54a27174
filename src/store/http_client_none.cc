// SPDX-License-Identifier: Apache-2.0
// Where there is no libcurl.
#include "store/http_client.h"

namespace llma::store {

bool HasHttp() { return false; }

Result<HttpOutcome> HttpGet(const HttpRequest& request, const HttpSink&) {
  return Error{ErrorCode::kUnsupported,
               "this build has no libcurl: fetch " + request.url +
                   " with another program, and run `llma model import` on it"};
}

}  // namespace llma::store
