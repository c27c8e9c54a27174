// SPDX-License-Identifier: Apache-2.0
#include "store/git_blob.h"

#include <gtest/gtest.h>

#include <string>

namespace llma::store {
namespace {

// What `git hash-object --stdin` prints.
TEST(GitBlobTest, IdsAreThoseOfGit) {
  EXPECT_EQ(GitBlobId({}), "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391");
  EXPECT_EQ(GitBlobId(AsBytes("what is up, doc?")),
            "bd9dbf5aae1a3862dd1526723246b20206e5fc37");
  EXPECT_FALSE(GitBlobIdOfFile("/nonexistent"));
}

// All lengths of the last block. From Python's hashlib.
TEST(GitBlobTest, ContentOfAnyLength) {
  std::string ids;
  for (size_t size = 0; size < 200; ++size) {
    ids += GitBlobId(AsBytes(std::string(size, 'x')));
  }
  EXPECT_EQ(GitBlobId(AsBytes(ids)),
            "04a0207e7ff0d677bbda3d3b9f515a299e578c55");
}

TEST(GitBlobTest, WhatAnIdLooksLike) {
  EXPECT_TRUE(IsGitId("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
  EXPECT_FALSE(IsGitId("E69de29bb2d1d6434b8b29ae775ad8c2e48c5391"));
  EXPECT_FALSE(IsGitId("e69de29"));
  EXPECT_FALSE(IsGitId("main"));
}

}  // namespace
}  // namespace llma::store
