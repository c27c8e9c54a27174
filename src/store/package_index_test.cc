// SPDX-License-Identifier: Apache-2.0
#include "store/package_index.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

namespace llma::store {
namespace {

constexpr char kWheel[] = "a_b-1.0-py3-none-any.whl";

std::string Find(const std::string& page,
                 const std::string& url = "https://host/simple/a-b/") {
  return FindOnPage(AsBytes(page), *ParseUrl(url), kWheel);
}

TEST(PackageIndexTest, LinksOfHtml) {
  const std::string name = kWheel;
  EXPECT_EQ(Find("<!DOCTYPE html><body><a href=\"x/a_b-0.9.whl\">no</a><A\n"
                 "  data-yanked='>' HREF = '../../files/" +
                 name + "#sha256=00'>yes</a>"),
            "https://host:443/simple/a-b/../../files/" + name);
  EXPECT_EQ(Find("<a href=/f/" + name + ">"), "https://host:443/f/" + name);
  EXPECT_EQ(Find("<a href=\"//other/f/" + name + "\">"),
            "https://other/f/" + name);
  EXPECT_EQ(Find("<a href=\"https://other/" + name + "?a=1&amp;b=/x\">"),
            "https://other/" + name + "?a=1&b=/x");
  EXPECT_EQ(Find("<a href=\"a%5Fb-1.0-py3-none-any.whl\">", "https://host/p"),
            "https://host:443/a%5Fb-1.0-py3-none-any.whl");
  for (const char* page :
       {"", "<", "<a", "<a ", "<a href", "<a href=", "<a href='", "<a href='x",
        "<a =", "<a / >", "<abbr href='a_b-1.0-py3-none-any.whl'>",
        "<a name='a_b-1.0-py3-none-any.whl'>",
        "<a href='a_b-1.0-py3-none-any.whl.metadata'>"}) {
    EXPECT_EQ(Find(page), "") << page;
  }
}

TEST(PackageIndexTest, LinksOfJson) {
  const std::string name = kWheel;
  EXPECT_EQ(Find(" {\"files\": [{\"filename\": \"other\", \"url\": \"x\"}, "
                 "{\"filename\": \"" +
                 name + "\", \"url\": \"../" + name + "\"}]}"),
            "https://host:443/simple/a-b/../" + name);
  for (const char* page :
       {"{", "{}", "{\"files\": 1}", "{\"files\": [1, null, {}]}",
        "{\"files\": [{\"filename\": \"a_b-1.0-py3-none-any.whl\"}]}",
        "{\"files\": [{\"filename\": \"a_b-1.0-py3-none-any.whl\", \"url\": "
        "[]}]}"}) {
    EXPECT_EQ(Find(page), "") << page;
  }
}

TEST(PackageIndexTest, SettingsOfPip) {
  EXPECT_EQ(IndexUrlOfSettings("[global]\nindex-url = https://a/simple\n"),
            "https://a/simple");
  EXPECT_EQ(IndexUrlOfSettings("# x\n[install]\nindex-url=https://b\n"
                               "[global]\r\ntimeout = 3\r\n"
                               "Index_URL: https://a:8/simple \r\n"),
            "https://a:8/simple");
  for (const char* text :
       {"", "index-url = https://a", "[global]\n;index-url = https://a",
        "[global]\nindex-url\nextra-index-url = https://a",
        "[global]\n[other]\nindex-url = https://a"}) {
    EXPECT_EQ(IndexUrlOfSettings(text), "") << text;
  }
}

TEST(PackageIndexTest, UserAndPasswordAreApart) {
  const PackageIndex index = SplitIndexUrl("https://me:p%40ss@host:8/simple//");
  EXPECT_EQ(index.url, "https://host:8/simple");
  EXPECT_EQ(index.token, "bWU6cEBzcw==");  // me:p@ss
  EXPECT_EQ(SplitIndexUrl("https://token@host").token, "dG9rZW46");
  EXPECT_EQ(SplitIndexUrl("https://host/a@b").url, "https://host/a@b");
  EXPECT_EQ(SplitIndexUrl("https://host/a@b").token, "");
}

TEST(PackageIndexTest, WhoNamesTheIndex) {
  const std::filesystem::path home =
      std::filesystem::path(testing::TempDir()) / "package_index_test";
  const auto write = [](const std::filesystem::path& path, const char* url) {
    std::filesystem::create_directories(path.parent_path());
    std::ofstream(path) << "[global]\nindex-url = " << url << "\n";
  };
  std::filesystem::remove_all(home);
  for (const char* name :
       {"PIP_INDEX_URL", "PIP_CONFIG_FILE", "VIRTUAL_ENV", "XDG_CONFIG_HOME"}) {
    ::unsetenv(name);
  }
  ::setenv("HOME", home.c_str(), 1);
  write(home / ".pip/pip.conf", "https://old");
  EXPECT_EQ(FindPackageIndex()->url, "https://old");
  write(home / ".config/pip/pip.conf", "https://user");
  EXPECT_EQ(FindPackageIndex()->url, "https://user");
  write(home / "xdg/pip/pip.conf", "https://xdg");
  ::setenv("XDG_CONFIG_HOME", (home / "xdg").c_str(), 1);
  EXPECT_EQ(FindPackageIndex()->url, "https://xdg");
  write(home / "own.conf", "https://own");
  ::setenv("PIP_CONFIG_FILE", (home / "own.conf").c_str(), 1);
  EXPECT_EQ(FindPackageIndex()->url, "https://own");
  ::setenv("PIP_CONFIG_FILE", "/dev/null", 1);
  EXPECT_EQ(FindPackageIndex()->url, "https://pypi.org/simple");
  ::setenv("PIP_INDEX_URL", "http://example.invalid/simple", 1);
  const auto index = FindPackageIndex();
  ASSERT_FALSE(index);
  EXPECT_EQ(index.error().what,
            "PIP_INDEX_URL: http://example.invalid/simple: is not https");
  ::unsetenv("PIP_INDEX_URL");
  ::unsetenv("PIP_CONFIG_FILE");
  ::unsetenv("XDG_CONFIG_HOME");
  std::filesystem::remove_all(home);
}

}  // namespace
}  // namespace llma::store
