// SPDX-License-Identifier: Apache-2.0
#include "store/http_answer.h"

#include <algorithm>
#include <charconv>

#include "store/trim.h"

namespace llma::store {
namespace {

constexpr int kMaxRedirects = 10;

uint64_t ToNumber(std::string_view text) {
  uint64_t value = 0;
  const auto end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end ? value : 0;
}

// Of the header RateLimit, as the hub has it: "api";r=0;t=55. No request is
// left, and there will be some after so many seconds.
uint64_t SecondsOfRateLimit(std::string_view value) {
  uint64_t left = 1, seconds = 0;
  while (!value.empty()) {
    const size_t end = std::min(value.find(';'), value.size());
    const std::string_view part = Trim(value.substr(0, end));
    value.remove_prefix(std::min(end + 1, value.size()));
    if (part.starts_with("r=")) left = ToNumber(part.substr(2));
    if (part.starts_with("t=")) seconds = ToNumber(part.substr(2));
  }
  // Theirs are rounded down.
  return left == 0 && seconds != ~uint64_t{0} ? seconds + 1 : 0;
}

}  // namespace

void ReadHeaderLine(std::string_view line, bool is_first_host,
                    HttpResponse& response) {
  const size_t colon = line.find(':');
  if (line.starts_with("HTTP/")) {
    response.etag.clear();
    response.content_range.clear();
    response.content_bytes = 0;
    response.retry_seconds = 0;
    response.error_code.clear();
  }
  if (colon == std::string_view::npos) return;
  std::string name(line.substr(0, colon));
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const std::string value(Trim(line.substr(colon + 1)));
  if (name == "etag") response.etag = value;
  if (name == "content-range") response.content_range = value;
  if (name == "content-length") response.content_bytes = ToNumber(value);
  if (name == "ratelimit") response.retry_seconds = SecondsOfRateLimit(value);
  if (!is_first_host) return;
  if (name == "x-error-code") response.error_code = value;
  if (name == "x-linked-etag") {
    std::string_view plain = value;
    if (plain.size() >= 2 && plain.front() == '"' && plain.back() == '"') {
      plain = plain.substr(1, plain.size() - 2);
    }
    response.linked_etag = plain;
  }
  if (name == "x-linked-size") response.linked_bytes = ToNumber(value);
}

Result<HttpOutcome> FollowRedirects(const HttpRequest& request,
                                    const HttpExchange& exchange) {
  HttpOutcome outcome;
  LLMA_ASSIGN(Url url, ParseUrl(request.url));
  const std::string first_origin = url.origin();
  for (int i = 0; i <= kMaxRedirects; ++i) {
    outcome.response.url = url.text;
    std::string redirect;
    LLMA_ASSIGN(const bool is_done,
                exchange(url, url.origin() == first_origin, outcome, redirect));
    if (!is_done) return outcome;
    const bool is_redirect =
        outcome.response.status >= 300 && outcome.response.status < 400;
    if (!is_redirect) return outcome;
    if (redirect.empty()) {
      return Error{ErrorCode::kIo, url.text + ": a redirect to nowhere"};
    }
    const auto next = ParseUrl(redirect);
    if (!next) {
      return Error{ErrorCode::kIo,
                   "a redirect is not followed: " + next.error().what};
    }
    url = *next;
  }
  return Error{ErrorCode::kIo, request.url + ": too many redirects"};
}

}  // namespace llma::store
