// SPDX-License-Identifier: Apache-2.0
#include "store/url.h"

#include <algorithm>

namespace llma::store {
namespace {

constexpr size_t kMaxUrlBytes = 8192;

Error Usage(std::string_view url, const char* what) {
  return Error{ErrorCode::kUsage, std::string(url) + ": " + what};
}

bool IsLoopback(std::string_view host) {
  if (host == "localhost" || host == "[::1]") return true;
  if (!host.starts_with("127.")) return false;
  return std::all_of(host.begin(), host.end(),
                     [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

}  // namespace

std::string Url::file_name() const {
  const std::string plain = path.substr(0, path.find_first_of("?#"));
  return plain.substr(plain.rfind('/') + 1);
}

bool LooksLikeUrl(std::string_view text) {
  return text.find("://") != std::string_view::npos;
}

Result<Url> ParseUrl(std::string_view text) {
  if (text.size() > kMaxUrlBytes ||
      !std::all_of(text.begin(), text.end(),
                   [](char c) { return c > ' ' && c < 0x7f; })) {
    return Error{ErrorCode::kUsage, "an address is too long or not plain text"};
  }
  Url url;
  url.text = text;
  const size_t colon = text.find("://");
  if (colon == std::string_view::npos) return Usage(text, "is no address");
  url.scheme = text.substr(0, colon);
  const size_t begin = colon + 3;
  const size_t end = std::min(text.find_first_of("/?#", begin), text.size());
  std::string host(text.substr(begin, end - begin));
  for (char& c : host) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  if (host.find_first_of("@\\") != std::string::npos) {
    return Usage("an address", "has a user's name in it");
  }
  const size_t bracket = host.rfind(']');
  const size_t port =
      host.find(':', bracket == std::string::npos ? 0 : bracket);
  url.port = url.scheme == "https" ? "443" : "80";
  if (port != std::string::npos) {
    url.port = host.substr(port + 1);
    host.resize(port);
    if (url.port.empty() || url.port.size() > 5 ||
        url.port.find_first_not_of("0123456789") != std::string::npos) {
      return Usage(text, "has a port that is no number");
    }
  }
  url.host = host;
  if (url.host.empty()) return Usage(text, "names no host");
  if (url.scheme != "https" &&
      !(url.scheme == "http" && IsLoopback(url.host))) {
    return Usage(text, "is not https");
  }
  url.path = text.substr(end);
  return url;
}

std::string ResolveLink(const Url& base, std::string_view link) {
  link = link.substr(0, link.find('#'));
  if (LooksLikeUrl(link.substr(0, link.find_first_of("/?") + 2))) {
    return std::string(link);
  }
  if (link.starts_with("//")) return base.scheme + ":" + std::string(link);
  if (link.starts_with('/')) return base.origin() + std::string(link);
  const std::string path = base.path.substr(0, base.path.find_first_of("?#"));
  const size_t slash = path.rfind('/');
  return base.origin() +
         (slash == std::string::npos ? "/" : path.substr(0, slash + 1)) +
         std::string(link);
}

std::string WithoutDots(std::string_view path) {
  const size_t end = std::min(path.find_first_of("?#"), path.size());
  const std::string_view rest = path.substr(end);
  path = path.substr(0, end);
  std::string plain;
  while (!path.empty()) {
    const size_t next = std::min(path.find('/', 1), path.size());
    const std::string_view part = path.substr(0, next);  // "/name"
    path.remove_prefix(next);
    if (part == "/.." && !plain.empty()) plain.erase(plain.rfind('/'));
    const bool is_dots = part == "/." || part == "/..";
    if (!is_dots) plain += part;
    if (is_dots && path.empty()) plain += '/';
  }
  return (plain.empty() ? "/" : plain) + std::string(rest);
}

}  // namespace llma::store
