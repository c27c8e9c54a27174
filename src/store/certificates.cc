// SPDX-License-Identifier: Apache-2.0
#include "store/certificates.h"

namespace llma::store {
namespace {

// Debian; Fedora, old and new; openSUSE; Alpine and the BSDs; FreeBSD.
constexpr const char* kSystemFiles[] = {
    "/etc/ssl/certs/ca-certificates.crt",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
    "/usr/local/share/certs/ca-root-nss.crt",
};

}  // namespace

Certificates FindCertificates(
    const std::function<std::string(const char*)>& variable,
    const std::function<bool(const std::string&)>& exists,
    const Certificates& built_in) {
  // As curl has it, and then the variable that Python programs read.
  Certificates named{variable("CURL_CA_BUNDLE"), ""};
  if (named.file.empty()) {
    named = {variable("SSL_CERT_FILE"), variable("SSL_CERT_DIR")};
  }
  if (named.file.empty() && named.folder.empty()) {
    named.file = variable("REQUESTS_CA_BUNDLE");
    // It may be of either kind.
    if (!named.file.empty() && exists(named.file + "/.")) {
      named = {"", named.file};
    }
  }
  if (!named.file.empty() || !named.folder.empty()) return named;
  // A library that was built for another system looks where there is nothing.
  const auto is_there = [&exists](const std::string& path) {
    return !path.empty() && exists(path);
  };
  if (is_there(built_in.file) || is_there(built_in.folder)) return {};
  for (const char* file : kSystemFiles) {
    if (exists(file)) return {file, ""};
  }
  return {};
}

}  // namespace llma::store
