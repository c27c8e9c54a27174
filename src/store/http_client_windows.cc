// SPDX-License-Identifier: Apache-2.0
// With WinHTTP, which has the certificates and proxies of the system.
#include <windows.h>
// After windows.h.
#include <winhttp.h>

#include <algorithm>
#include <charconv>
#include <memory>
#include <optional>
#include <vector>

#include "store/http_answer.h"
#include "store/http_client.h"
#include "store/trim.h"
#include "store/url.h"

namespace llma::store {
namespace {

constexpr int kConnectMilliseconds = 30000;
constexpr int kStallMilliseconds = 60000;
constexpr size_t kBufferBytes = 1 << 18;
constexpr DWORD kAutomaticProxy = 4;  // headers may lack it

struct CloseInternet {
  void operator()(void* handle) const { ::WinHttpCloseHandle(handle); }
};
using Internet = std::unique_ptr<void, CloseInternet>;

// Addresses and headers are ASCII.
std::wstring Widened(std::string_view text) {
  return {text.begin(), text.end()};
}

std::string Narrowed(std::wstring_view text) {
  std::string narrow;
  for (const wchar_t c : text) narrow += c < 0x80 ? static_cast<char>(c) : '?';
  return narrow;
}

std::string ReasonOf(DWORD error) {
  wchar_t text[256];
  const DWORD size = ::FormatMessageW(
      FORMAT_MESSAGE_FROM_HMODULE | FORMAT_MESSAGE_FROM_SYSTEM |
          FORMAT_MESSAGE_IGNORE_INSERTS,
      ::GetModuleHandleW(L"winhttp.dll"), error, 0, text, 256, nullptr);
  const std::string narrow = Narrowed({text, size});
  const std::string_view reason = Trim(narrow);
  return reason.empty() ? "error " + std::to_string(error) + " of WinHTTP"
                        : std::string(reason);
}

// One request without redirects.
class Exchange {
 public:
  Exchange(const HttpSink& sink, bool is_first_host, HttpOutcome& outcome)
      : sink_(sink), is_first_host_(is_first_host), outcome_(outcome) {}

  // False: the connection failed.
  Result<bool> Run(const Url& url, const HttpRequest& request,
                   std::string& redirect) {
    if (!Send(url, request)) {
      const DWORD error = ::GetLastError();
      if (error == ERROR_WINHTTP_SECURE_FAILURE) {
        return Error{ErrorCode::kIo,
                     url.text +
                         ": Windows does not trust the host's "
                         "certificate: if that is as it should be (a "
                         "proxy or a host of your own), add that of its "
                         "authority to Windows' own"};
      }
      return Fail(error);
    }
    const std::string location = ReadHeader();
    HttpResponse& response = outcome_.response;
    if (response.status == HTTP_STATUS_PROXY_AUTH_REQ) {
      return Error{ErrorCode::kIo,
                   url.text +
                       ": the proxy wants a password, which is not "
                       "supported"};
    }
    if (response.status >= 300 && response.status < 400) {
      if (!location.empty()) redirect = ResolveLink(url, location);
      return true;
    }
    LLMA_TRY(sink_.on_response(response));
    const bool has_body = response.status == 200 || response.status == 206;
    std::vector<uint8_t> buffer(kBufferBytes);
    for (;;) {
      DWORD got = 0;
      if (!::WinHttpReadData(request_.get(), buffer.data(),
                             static_cast<DWORD>(buffer.size()), &got)) {
        return Fail(::GetLastError());
      }
      if (got == 0) return true;
      if (has_body) LLMA_TRY(sink_.on_body(Bytes(buffer).first(got)));
    }
  }

 private:
  bool Fail(DWORD error) {
    outcome_.transport_error = ReasonOf(error);
    return false;
  }

  bool Send(const Url& url, const HttpRequest& request) {
    session_.reset(
        ::WinHttpOpen(L"llma", kAutomaticProxy, nullptr, nullptr, 0));
    if (session_ == nullptr) {  // before Windows 8.1
      session_.reset(::WinHttpOpen(L"llma", WINHTTP_ACCESS_TYPE_DEFAULT_PROXY,
                                   nullptr, nullptr, 0));
    }
    if (session_ == nullptr ||
        !::WinHttpSetTimeouts(session_.get(), kConnectMilliseconds,
                              kConnectMilliseconds, kStallMilliseconds,
                              kStallMilliseconds)) {
      return false;
    }
    uint16_t port = 0;
    (void)std::from_chars(url.port.data(), url.port.data() + url.port.size(),
                          port);
    connection_.reset(
        ::WinHttpConnect(session_.get(), Widened(url.host).c_str(), port, 0));
    if (connection_ == nullptr) return false;
    request_.reset(::WinHttpOpenRequest(
        connection_.get(), L"GET", Widened(WithoutDots(url.path)).c_str(),
        nullptr, WINHTTP_NO_REFERER, WINHTTP_DEFAULT_ACCEPT_TYPES,
        WINHTTP_FLAG_ESCAPE_DISABLE |
            (url.scheme == "https" ? WINHTTP_FLAG_SECURE : 0)));
    if (request_ == nullptr) return false;
    DWORD without = WINHTTP_DISABLE_REDIRECTS | WINHTTP_DISABLE_COOKIES |
                    WINHTTP_DISABLE_AUTHENTICATION;
    if (!::WinHttpSetOption(request_.get(), WINHTTP_OPTION_DISABLE_FEATURE,
                            &without, sizeof(without))) {
      return false;
    }
    std::string headers;
    if (!request.token.empty() && url.origin() == request.token_origin) {
      headers +=
          "Authorization: " + request.token_type + " " + request.token + "\r\n";
    }
    if (!request.accept.empty())
      headers += "Accept: " + request.accept + "\r\n";
    if (request.range_start > 0) {
      headers +=
          "Range: bytes=" + std::to_string(request.range_start) + "-\r\n";
      if (!request.if_range.empty()) {
        headers += "If-Range: " + request.if_range + "\r\n";
      }
    }
    const std::wstring wide = Widened(headers);
    return ::WinHttpSendRequest(
               request_.get(),
               wide.empty() ? WINHTTP_NO_ADDITIONAL_HEADERS : wide.c_str(),
               static_cast<DWORD>(wide.size()), WINHTTP_NO_REQUEST_DATA, 0, 0,
               0) &&
           ::WinHttpReceiveResponse(request_.get(), nullptr);
  }

  // What it says goes into the response; but where it leads is returned.
  std::string ReadHeader() {
    DWORD size_bytes = 0;
    (void)::WinHttpQueryHeaders(request_.get(), WINHTTP_QUERY_RAW_HEADERS_CRLF,
                                WINHTTP_HEADER_NAME_BY_INDEX,
                                WINHTTP_NO_OUTPUT_BUFFER, &size_bytes,
                                WINHTTP_NO_HEADER_INDEX);
    std::wstring wide(size_bytes / sizeof(wchar_t) + 1, L'\0');
    (void)::WinHttpQueryHeaders(request_.get(), WINHTTP_QUERY_RAW_HEADERS_CRLF,
                                WINHTTP_HEADER_NAME_BY_INDEX, wide.data(),
                                &size_bytes, WINHTTP_NO_HEADER_INDEX);
    const std::string text = Narrowed(wide);
    std::string location;
    for (std::string_view rest = text; !rest.empty();) {
      const size_t end = std::min(rest.find('\n'), rest.size());
      const std::string_view line = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
      ReadHeaderLine(line, is_first_host_, outcome_.response);
      const size_t colon = std::min(line.find(':'), line.size());
      std::string name(line.substr(0, colon));
      for (char& c : name) c = static_cast<char>(c | 0x20);
      if (colon == line.size()) continue;
      const std::string_view value = Trim(line.substr(colon + 1));
      if (name == "location") location = value;
      if (name == "retry-after") {
        (void)std::from_chars(value.data(), value.data() + value.size(),
                              outcome_.response.retry_seconds);
      }
    }
    DWORD status = 0, status_bytes = sizeof(status);
    (void)::WinHttpQueryHeaders(
        request_.get(), WINHTTP_QUERY_STATUS_CODE | WINHTTP_QUERY_FLAG_NUMBER,
        WINHTTP_HEADER_NAME_BY_INDEX, &status, &status_bytes,
        WINHTTP_NO_HEADER_INDEX);
    outcome_.response.status = static_cast<long>(status);
    return location;
  }

  const HttpSink& sink_;
  const bool is_first_host_;
  HttpOutcome& outcome_;
  Internet session_, connection_, request_;  // closed from the last on
};

}  // namespace

bool HasHttp() { return true; }

Result<HttpOutcome> HttpGet(const HttpRequest& request, const HttpSink& sink) {
  return FollowRedirects(request, [&](const Url& url, bool is_first_host,
                                      HttpOutcome& outcome,
                                      std::string& redirect) {
    return Exchange(sink, is_first_host, outcome).Run(url, request, redirect);
  });
}

}  // namespace llma::store
