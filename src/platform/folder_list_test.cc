// SPDX-License-Identifier: Apache-2.0
#include "platform/folder_list.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "platform/testing/test_folder.h"

namespace llma {
namespace {

using FolderListTest = FolderTest;

#if !defined(_WIN32)
TEST_F(FolderListTest, NamesAndKinds) {
  Make("b", "text");
  ASSERT_EQ(::mkdir(Path("a").c_str(), 0700), 0);
  ASSERT_EQ(::symlink("b", Path("c").c_str()), 0);
  ASSERT_EQ(::mkfifo(Path("d").c_str(), 0600), 0);
  const auto entries = ListFolder(folder_);
  ASSERT_TRUE(entries) << entries.error().what;
  ASSERT_EQ(entries->size(), 4u);
  const FileKind kinds[] = {FileKind::kFolder, FileKind::kRegular,
                            FileKind::kLink, FileKind::kOther};
  for (size_t i = 0; i < entries->size(); ++i) {
    EXPECT_EQ((*entries)[i].name, std::string(1, static_cast<char>('a' + i)));
    EXPECT_EQ((*entries)[i].kind, kinds[i]);
  }
}
#endif

TEST_F(FolderListTest, WhatIsNoFolder) {
  const std::string file = Make("file", "text");
  for (const std::string& path : {file, file + "2"}) {
    const auto entries = ListFolder(path);
    ASSERT_FALSE(entries);
    EXPECT_EQ(entries.error().code, ErrorCode::kIo);
    EXPECT_TRUE(entries.error().what.starts_with(path + ": "));
  }
}

TEST_F(FolderListTest, Paths) {
  EXPECT_EQ(PathIn("a", "b"), "a/b");
  EXPECT_EQ(PathIn("/", "b"), "/b");
}

}  // namespace
}  // namespace llma
