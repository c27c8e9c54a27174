// SPDX-License-Identifier: Apache-2.0
// Addresses of models: which are allowed, and which host is asked.
#ifndef LLMA_STORE_URL_H_
#define LLMA_STORE_URL_H_

#include <string>
#include <string_view>

#include "base/status.h"

namespace llma::store {

struct Url {
  std::string text;
  std::string scheme;  // "https" or "http"
  std::string host;    // lower case; of IPv6 with its brackets
  std::string port;    // in decimal, never empty
  std::string path;    // from the '/' on, with what follows

  // Scheme, host and port: who gets a token.
  std::string origin() const { return scheme + "://" + host + ":" + port; }
  // The last part of the path.
  std::string file_name() const;
};

// True if it starts like one.
bool LooksLikeUrl(std::string_view text);

// kUsage unless it is https, or http to this machine, with a host, without a
// user's name, of printable ASCII.
Result<Url> ParseUrl(std::string_view text);

// An address as a page at `base` means it, without its fragment. Dots in the
// path are left to who asks the host.
std::string ResolveLink(const Url& base, std::string_view link);

// Without the parts "." and ".." of the path.
std::string WithoutDots(std::string_view path);

}  // namespace llma::store

#endif  // LLMA_STORE_URL_H_
