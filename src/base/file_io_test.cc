// SPDX-License-Identifier: Apache-2.0
#include "base/file_io.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace llma {
namespace {

class FileIoTest : public testing::Test {
 protected:
  FileIoTest() {
    std::string name = testing::TempDir() + "llma_file_io_XXXXXX";
    dir_ = ::mkdtemp(name.data());
  }
  ~FileIoTest() override { std::filesystem::remove_all(dir_); }
  std::string Path(const char* name) const { return dir_ + "/" + name; }
  size_t NumFiles() const {
    size_t n = 0;
    for (const auto& entry : std::filesystem::directory_iterator(dir_)) {
      (void)entry;
      ++n;
    }
    return n;
  }
  std::string dir_;
};

TEST_F(FileIoTest, CommittedFilesAppearWhole) {
  auto file = OutputFile::Create(Path("a"), {});
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->Write(AsBytes("hello ")));
  EXPECT_FALSE(std::filesystem::exists(Path("a")));
  ASSERT_TRUE(file->Write(AsBytes("world")));
  ASSERT_TRUE(file->Commit());
  auto content = ReadFile(Path("a"));
  ASSERT_TRUE(content);
  EXPECT_EQ(AsStringView(*content), "hello world");
  auto map = MappedFile::Open(Path("a"));
  ASSERT_TRUE(map);
  EXPECT_EQ(AsStringView(map->bytes()), "hello world");
  EXPECT_EQ(NumFiles(), 1u);
}

TEST_F(FileIoTest, AbandonedFilesLeaveNothing) {
  {
    auto file = OutputFile::Create(Path("a"), {});
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->Write(AsBytes("x")));
  }
  EXPECT_EQ(NumFiles(), 0u);
}

TEST_F(FileIoTest, NeverOverwritesUnasked) {
  auto first = OutputFile::Create(Path("a"), {});
  auto second = OutputFile::Create(Path("a"), {});
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(first->Commit());
  EXPECT_EQ(second->Commit().error().code, ErrorCode::kUsage);
  EXPECT_EQ(OutputFile::Create(Path("a"), {}).error().code, ErrorCode::kUsage);
  auto third = OutputFile::Create(Path("a"), {.overwrite = true});
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->Commit());
}

TEST_F(FileIoTest, ErrorsAreValues) {
  EXPECT_EQ(ReadFile(Path("missing")).error().code, ErrorCode::kIo);
  EXPECT_EQ(MappedFile::Open(Path("missing")).error().code, ErrorCode::kIo);
  EXPECT_EQ(MappedFile::Open(dir_).error().code, ErrorCode::kIo);
  EXPECT_EQ(OutputFile::Create(Path("no/such/dir"), {}).error().code,
            ErrorCode::kIo);
  auto file = OutputFile::Create(Path("a"), {});
  ASSERT_TRUE(file && file->Write(AsBytes("12345")) && file->Commit());
  EXPECT_EQ(ReadFile(Path("a"), 4).error().code, ErrorCode::kLimit);
}

}  // namespace
}  // namespace llma
