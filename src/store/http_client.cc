// SPDX-License-Identifier: Apache-2.0
#include "store/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <string_view>

#include "platform/file_info.h"
#include "platform/machine/process.h"
#include "store/certificates.h"
#include "store/trim.h"
#include "store/url.h"

namespace llma::store {
namespace {

constexpr int kMaxRedirects = 10;
constexpr long kConnectSeconds = 30;
// A connection that brings less than this for so long has ended.
constexpr long kStallBytesPerSecond = 1;
constexpr long kStallSeconds = 60;
constexpr long kBufferBytes = 1 << 18;
constexpr size_t kMaxHeaderBytes = 8192;

struct FreeHandle {
  void operator()(CURL* handle) const { curl_easy_cleanup(handle); }
};
struct FreeList {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using Handle = std::unique_ptr<CURL, FreeHandle>;
using List = std::unique_ptr<curl_slist, FreeList>;

bool StartCurl() {
  static const bool good = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  return good;
}

uint64_t ToNumber(std::string_view text) {
  uint64_t value = 0;
  const auto end = text.data() + text.size();
  const auto [rest, error] = std::from_chars(text.data(), end, value);
  return error == std::errc() && rest == end ? value : 0;
}

// Of the header RateLimit, as the hub has it: "api";r=0;t=55. No request is
// left, and there will be some after this many seconds.
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

Certificates TrustedCertificates() {
  const curl_version_info_data* const info = curl_version_info(CURLVERSION_NOW);
  Certificates built_in;
  if (info->age >= CURLVERSION_SEVENTH) {
    if (info->cainfo != nullptr) built_in.file = info->cainfo;
    if (info->capath != nullptr) built_in.folder = info->capath;
  }
  const auto exists = [](const std::string& path) {
    return InfoOf(path).has_value();
  };
  return FindCertificates(Environment, exists, built_in);
}

// The host's, and those of a proxy that speaks TLS itself.
void Trust(CURL* curl, const Certificates& certificates) {
  if (const std::string& file = certificates.file; !file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, file.c_str());
    curl_easy_setopt(curl, CURLOPT_PROXY_CAINFO, file.c_str());
  }
  if (const std::string& folder = certificates.folder; !folder.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAPATH, folder.c_str());
    curl_easy_setopt(curl, CURLOPT_PROXY_CAPATH, folder.c_str());
  }
}

// One request without redirects.
class Exchange {
 public:
  Exchange(const HttpSink& sink, bool is_first_host, HttpResponse& response)
      : sink_(sink), is_first_host_(is_first_host), response_(response) {}

  // False: the connection failed; `reason` says why.
  Result<bool> Run(const Url& url, const HttpRequest& request,
                   std::string& reason, std::string& redirect) {
    const Handle handle(curl_easy_init());
    if (!StartCurl() || handle == nullptr) {
      return Error{ErrorCode::kInternal, "libcurl does not start"};
    }
    CURL* const curl = handle.get();
    handle_ = curl;
    curl_easy_setopt(curl, CURLOPT_URL, url.text.c_str());
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, url.scheme.c_str());
    curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L);
    curl_easy_setopt(curl, CURLOPT_NETRC,
                     static_cast<long>(CURL_NETRC_IGNORED));
    Trust(curl, TrustedCertificates());
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "llma");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kStallBytesPerSecond);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
    curl_easy_setopt(curl, CURLOPT_BUFFERSIZE, kBufferBytes);
    char text[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, text);
    // What a proxy says before there is a tunnel is not from the host.
    curl_easy_setopt(curl, CURLOPT_SUPPRESS_CONNECT_HEADERS, 1L);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, OnHeader);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, this);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, OnBody);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, this);
    List headers;
    const auto add = [&headers](const std::string& line) {
      // The list keeps its old head, or is null if memory ran out.
      curl_slist* const longer = curl_slist_append(headers.get(), line.c_str());
      if (longer == nullptr) return false;
      headers.release();
      headers.reset(longer);
      return true;
    };
    bool good = true;
    if (!request.token.empty() && url.origin() == request.token_origin) {
      good = add("Authorization: " + request.token_type + " " + request.token);
    }
    if (!request.accept.empty()) {
      good = good && add("Accept: " + request.accept);
    }
    if (request.range_start > 0) {
      good = good &&
             add("Range: bytes=" + std::to_string(request.range_start) + "-");
      if (!request.if_range.empty()) {
        good = good && add("If-Range: " + request.if_range);
      }
    }
    if (!good) return Error{ErrorCode::kMemory, "out of memory"};
    curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
    const CURLcode code = curl_easy_perform(curl);
    if (failure_) return *failure_;
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
      return Error{ErrorCode::kIo, url.text + ": " + text + ": " + kHowToTrust};
    }
    if (code == CURLE_SSL_CACERT_BADFILE) {
      return Error{ErrorCode::kIo,
                   url.text + ": " + text +
                       ": the environment (SSL_CERT_FILE, SSL_CERT_DIR, "
                       "CURL_CA_BUNDLE) names no usable certificates"};
    }
    long of_proxy = 0;
    curl_easy_getinfo(curl, CURLINFO_HTTP_CONNECTCODE, &of_proxy);
    if (code != CURLE_OK && of_proxy >= 400 && of_proxy < 500) {
      return Error{ErrorCode::kIo, url.text + ": the proxy says " +
                                       std::to_string(of_proxy) +
                                       ": https_proxy names it, and may hold "
                                       "a password; no_proxy names exceptions"};
    }
    if (code != CURLE_OK) {
      reason = text[0] != 0 ? text : curl_easy_strerror(code);
      return false;
    }
    LLMA_TRY(Respond());
    const char* location = nullptr;
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &location);
    if (location != nullptr) redirect = location;
    return true;
  }

 private:
  static size_t OnHeader(char* data, size_t one, size_t size, void* self) {
    const std::string_view line(data, one * size);
    if (line.size() > kMaxHeaderBytes) return 0;
    static_cast<Exchange*>(self)->ReadHeader(line);
    return line.size();
  }

  static size_t OnBody(char* data, size_t one, size_t size, void* self) {
    const Bytes bytes = AsBytes({data, one * size});
    return static_cast<Exchange*>(self)->ReadBody(bytes) ? bytes.size() : 0;
  }

  void ReadHeader(std::string_view line) {
    const size_t colon = line.find(':');
    if (line.starts_with("HTTP/")) {
      response_.etag.clear();
      response_.content_range.clear();
      response_.content_bytes = 0;
      response_.retry_seconds = 0;
      response_.error_code.clear();
    }
    if (colon == std::string_view::npos) return;
    std::string name(line.substr(0, colon));
    for (char& c : name) {
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    }
    const std::string value(Trim(line.substr(colon + 1)));
    if (name == "etag") response_.etag = value;
    if (name == "content-range") response_.content_range = value;
    if (name == "content-length") response_.content_bytes = ToNumber(value);
    if (name == "ratelimit")
      response_.retry_seconds = SecondsOfRateLimit(value);
    if (!is_first_host_) return;
    if (name == "x-error-code") response_.error_code = value;
    if (name == "x-linked-etag") {
      std::string_view plain = value;
      if (plain.size() >= 2 && plain.front() == '"' && plain.back() == '"') {
        plain = plain.substr(1, plain.size() - 2);
      }
      response_.linked_etag = plain;
    }
    if (name == "x-linked-size") response_.linked_bytes = ToNumber(value);
  }

  // Gives the answer to the sink, once, unless it is a redirect.
  Status Respond() {
    if (has_responded_) return OkStatus();
    has_responded_ = true;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &response_.status);
    if (response_.status >= 300 && response_.status < 400) return OkStatus();
    curl_off_t seconds = 0;  // a date is turned into them
    curl_easy_getinfo(handle_, CURLINFO_RETRY_AFTER, &seconds);
    if (seconds > 0) response_.retry_seconds = static_cast<uint64_t>(seconds);
    return sink_.on_response(response_);
  }

  bool ReadBody(Bytes bytes) {
    Status status = Respond();
    if (status && (response_.status == 200 || response_.status == 206)) {
      status = sink_.on_body(bytes);
    }
    if (!status) failure_ = status.error();
    return !failure_;
  }

  const HttpSink& sink_;
  const bool is_first_host_;
  HttpResponse& response_;
  CURL* handle_ = nullptr;
  bool has_responded_ = false;
  std::optional<Error> failure_;
};

}  // namespace

bool HasHttp() { return true; }

Result<HttpOutcome> HttpGet(const HttpRequest& request, const HttpSink& sink) {
  HttpOutcome outcome;
  LLMA_ASSIGN(Url url, ParseUrl(request.url));
  const std::string first_origin = url.origin();
  for (int i = 0; i <= kMaxRedirects; ++i) {
    outcome.response.url = url.text;
    std::string redirect;
    Exchange exchange(sink, url.origin() == first_origin, outcome.response);
    LLMA_ASSIGN(const bool is_done,
                exchange.Run(url, request, outcome.transport_error, redirect));
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
