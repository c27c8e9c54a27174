// SPDX-License-Identifier: Apache-2.0
#include "store/http_client.h"

#include <curl/curl.h>

#include <algorithm>
#include <memory>
#include <optional>
#include <string_view>

#include "platform/file_info.h"
#include "platform/machine/process.h"
#include "store/certificates.h"
#include "store/http_answer.h"
#include "store/url.h"

namespace llma::store {
namespace {

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
    auto* const exchange = static_cast<Exchange*>(self);
    ReadHeaderLine(line, exchange->is_first_host_, exchange->response_);
    return line.size();
  }

  static size_t OnBody(char* data, size_t one, size_t size, void* self) {
    const Bytes bytes = AsBytes({data, one * size});
    return static_cast<Exchange*>(self)->ReadBody(bytes) ? bytes.size() : 0;
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
  return FollowRedirects(
      request, [&](const Url& url, bool is_first_host, HttpOutcome& outcome,
                   std::string& redirect) {
        return Exchange(sink, is_first_host, outcome.response)
            .Run(url, request, outcome.transport_error, redirect);
      });
}

}  // namespace llma::store
