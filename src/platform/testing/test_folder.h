// SPDX-License-Identifier: Apache-2.0
#ifndef LLMA_PLATFORM_TESTING_TEST_FOLDER_H_
#define LLMA_PLATFORM_TESTING_TEST_FOLDER_H_

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>
#include <utility>

#include "platform/descriptors.h"

namespace llma {

// A folder of one test.
class FolderTest : public testing::Test {
 protected:
  FolderTest() {
    std::string name = testing::TempDir() + "llma_platform_XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~FolderTest() override { std::filesystem::remove_all(folder_); }

  std::string Path(const std::string& name) const {
    return folder_ + "/" + name;
  }
  std::string Make(const std::string& name, const std::string& content) {
    std::ofstream(Path(name)) << content;
    return Path(name);
  }
  std::string Content(const std::string& name) const {
    const auto bytes = ReadFile(Path(name));
    return bytes ? std::string(bytes->begin(), bytes->end()) : "";
  }
  size_t NumFiles() const {
    const std::filesystem::directory_iterator files(folder_);
    return static_cast<size_t>(std::distance(begin(files), end(files)));
  }

  std::string folder_;
};

}  // namespace llma

#endif  // LLMA_PLATFORM_TESTING_TEST_FOLDER_H_
