// SPDX-License-Identifier: Apache-2.0
// One file over HTTP, with libcurl. Redirects are followed here, one by one, so
// that it is certain who gets the token and that no step leaves https.
#ifndef LLMA_STORE_HTTP_CLIENT_H_
#define LLMA_STORE_HTTP_CLIENT_H_

#include <cstdint>
#include <functional>
#include <string>

#include "base/bytes.h"
#include "base/status.h"

namespace llma::store {

struct HttpRequest {
  std::string url;
  // Sent to `token_origin` (Url::origin()) alone.
  std::string token;
  std::string token_type = "Bearer";
  std::string token_origin;
  uint64_t range_start = 0;  // 0: from the beginning
  std::string if_range;      // an ETag that the range belongs to
  std::string accept;        // may be empty
};

// What is known when the header of the last answer is there.
struct HttpResponse {
  long status = 0;
  std::string url;             // that answered, after redirects
  std::string etag;            // of the last answer
  std::string content_range;   // of the last answer
  uint64_t content_bytes = 0;  // Content-Length of the last one; 0: not known
  // How long it asks to wait before it is asked again; 0: it does not say.
  uint64_t retry_seconds = 0;
  std::string error_code;  // the hub's word for why it refuses; may be empty
  // Of the answers of the first host: what it says of the file.
  std::string linked_etag;  // without quotes
  uint64_t linked_bytes = 0;
};

struct HttpOutcome {
  HttpResponse response;
  // The connection failed or ended too early: why. Else empty.
  std::string transport_error;
};

struct HttpSink {
  // Once, before the body. An error ends the transfer and is returned.
  std::function<Status(const HttpResponse&)> on_response;
  // Of answers 200 and 206 alone.
  std::function<Status(Bytes)> on_body;
};

// Whether this build can. Else HttpGet() is kUnsupported.
bool HasHttp();

Result<HttpOutcome> HttpGet(const HttpRequest& request, const HttpSink& sink);

}  // namespace llma::store

#endif  // LLMA_STORE_HTTP_CLIENT_H_
