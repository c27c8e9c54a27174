// SPDX-License-Identifier: Apache-2.0
// What a host answers, whichever library asks it.
#ifndef LLMA_STORE_HTTP_ANSWER_H_
#define LLMA_STORE_HTTP_ANSWER_H_

#include <functional>
#include <string>
#include <string_view>

#include "store/http_client.h"
#include "store/url.h"

namespace llma::store {

// Takes what a line of an answer's header says. Before the line of its status,
// nothing of the last answer is left.
void ReadHeaderLine(std::string_view line, bool is_first_host,
                    HttpResponse& response);

// One request without redirects. False: the connection failed, which
// HttpOutcome::transport_error tells.
using HttpExchange =
    std::function<Result<bool>(const Url& url, bool is_first_host,
                               HttpOutcome& outcome, std::string& redirect)>;

Result<HttpOutcome> FollowRedirects(const HttpRequest& request,
                                    const HttpExchange& exchange);

}  // namespace llma::store

#endif  // LLMA_STORE_HTTP_ANSWER_H_
