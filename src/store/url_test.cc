// SPDX-License-Identifier: Apache-2.0
#include "store/url.h"

#include <gtest/gtest.h>

namespace llma::store {
namespace {

TEST(UrlTest, PartsAndOrigin) {
  const auto url = ParseUrl("https://Host.Example/a/b.gguf?x=/y");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin(), "https://host.example:443");
  EXPECT_EQ(url->file_name(), "b.gguf");
  EXPECT_EQ(ParseUrl("https://h:8443")->origin(), "https://h:8443");
}

TEST(UrlTest, PlainHttpStaysOnThisMachine) {
  for (const char* good : {"http://127.0.0.1:1/x", "http://localhost/x",
                           "http://[::1]:80/x", "http://LOCALHOST"}) {
    EXPECT_TRUE(ParseUrl(good)) << good;
  }
  for (const char* bad :
       {"http://example.com", "http://127.evil.example/",
        "http://localhost.example/", "http://127.0.0.1@example.com/",
        "https://me@example.com/", "https:///x", "https://h:/x",
        "https://h:99999999/", "https://h:8x/", "file:///etc/passwd",
        "https://h/a b", "https://h\\x", "x"}) {
    const auto url = ParseUrl(bad);
    ASSERT_FALSE(url) << bad;
    EXPECT_EQ(url.error().code, ErrorCode::kUsage);
  }
}

}  // namespace
}  // namespace llma::store
