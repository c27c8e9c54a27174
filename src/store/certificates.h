// SPDX-License-Identifier: Apache-2.0
// Whom TLS trusts: what the environment names, as other programs read it, else
// what the system has, wherever that is.
#ifndef LLMA_STORE_CERTIFICATES_H_
#define LLMA_STORE_CERTIFICATES_H_

#include <functional>
#include <string>

namespace llma::store {

struct Certificates {
  std::string file;    // of authorities; empty: the library's own choice
  std::string folder;  // the same
};

// `variable`: the value of a variable of the environment, empty if it is not
// set. `exists`: whether a file or folder is there. `built_in`: where the TLS
// library looks by itself.
Certificates FindCertificates(
    const std::function<std::string(const char*)>& variable,
    const std::function<bool(const std::string&)>& exists,
    const Certificates& built_in);

// For people whose host has a certificate that is not known.
inline constexpr const char* kHowToTrust =
    "if that is as it should be (a proxy or a host of your own), name the file "
    "of its authority in SSL_CERT_FILE (or SSL_CERT_DIR, CURL_CA_BUNDLE)";

}  // namespace llma::store

#endif  // LLMA_STORE_CERTIFICATES_H_
