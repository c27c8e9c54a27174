// SPDX-License-Identifier: Apache-2.0
#include "store/certificates.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace llma::store {
namespace {

constexpr const char* kDebian = "/etc/ssl/certs/ca-certificates.crt";

Certificates Find(const std::map<std::string, std::string>& variables,
                  const std::set<std::string>& files) {
  return FindCertificates(
      [&](const char* name) {
        const auto it = variables.find(name);
        return it == variables.end() ? "" : it->second;
      },
      [&](const std::string& path) { return files.count(path) != 0; },
      {kDebian, "/etc/ssl/certs"});
}

TEST(CertificatesTest, TheEnvironmentComesFirst) {
  EXPECT_EQ(Find({{"SSL_CERT_FILE", "/a"}, {"SSL_CERT_DIR", "/d"}}, {}).file,
            "/a");
  EXPECT_EQ(Find({{"SSL_CERT_FILE", "/a"}, {"SSL_CERT_DIR", "/d"}}, {}).folder,
            "/d");
  const Certificates curls =
      Find({{"CURL_CA_BUNDLE", "/b"}, {"SSL_CERT_FILE", "/a"}}, {kDebian});
  EXPECT_EQ(curls.file, "/b");
  EXPECT_EQ(curls.folder, "");
  EXPECT_EQ(Find({{"REQUESTS_CA_BUNDLE", "/r"}}, {kDebian}).file, "/r");
  EXPECT_EQ(Find({{"REQUESTS_CA_BUNDLE", "/r"}}, {"/r/."}).folder, "/r");
}

TEST(CertificatesTest, OtherSystemsKeepThemElsewhere) {
  EXPECT_EQ(Find({}, {kDebian}).file, "");  // the library finds it
  EXPECT_EQ(Find({}, {"/etc/pki/tls/certs/ca-bundle.crt"}).file,
            "/etc/pki/tls/certs/ca-bundle.crt");
  EXPECT_EQ(Find({}, {"/etc/ssl/cert.pem"}).file, "/etc/ssl/cert.pem");
  EXPECT_EQ(Find({}, {}).file, "");
}

}  // namespace
}  // namespace llma::store
