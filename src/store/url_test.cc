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

TEST(UrlTest, PathsWithoutDots) {
  for (const auto& [path, plain] : {std::pair("/a/b", "/a/b"),
                                    {"/", "/"},
                                    {"/a/./b/../c", "/a/c"},
                                    {"/../../a", "/a"},
                                    {"/a/..", "/"},
                                    {"/a/b/.", "/a/b/"},
                                    {"/a/..b/c?x=/../y", "/a/..b/c?x=/../y"}}) {
    EXPECT_EQ(WithoutDots(path), plain) << path;
  }
}

TEST(UrlTest, LinksOfAPage) {
  const auto base = ParseUrl("https://h/simple/x/?y");
  ASSERT_TRUE(base);
  EXPECT_EQ(ResolveLink(*base, "../../p/a.whl#sha256=1"),
            "https://h:443/simple/x/../../p/a.whl");
  EXPECT_EQ(ResolveLink(*base, "/p/a.whl"), "https://h:443/p/a.whl");
  EXPECT_EQ(ResolveLink(*base, "//g/p"), "https://g/p");
  EXPECT_EQ(ResolveLink(*base, "https://g/p"), "https://g/p");
}

}  // namespace
}  // namespace llma::store
