// SPDX-License-Identifier: Apache-2.0
#include "cli/files/output.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <random>

#include "platform/descriptors.h"

namespace llma::cli {
namespace {

namespace fs = std::filesystem;

class OutputTest : public testing::Test {
 protected:
  OutputTest() {
    std::string name = fs::temp_directory_path() / "llma-test-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~OutputTest() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }

  std::string Make(const std::string& name, const std::string& content) {
    std::ofstream(Path(name)) << content;
    return Path(name);
  }

  std::string Content(const std::string& name) const {
    const auto bytes = ReadFile(Path(name));
    return bytes ? std::string(AsText(*bytes)) : "(unreadable)";
  }

  // Writes it all.
  static Result<bool> Finish(Output& output, const std::string& content) {
    LLMA_TRY(output.WriteSparsely(AsBytes(content)));
    return output.Finish({});
  }

  fs::path folder_;
};

TEST_F(OutputTest, NeverOverwritesTheInput) {
  const std::string path = Make("a", "content");
  fs::create_hard_link(path, Path("hard"));
  fs::create_symlink(path, Path("soft"));
  const auto input = InputFile::Open(path);
  ASSERT_TRUE(input);
  for (const std::string name : {"a", "hard", "soft"}) {
    for (const bool force : {false, true}) {
      const auto output = Output::Open(Path(name), {.force = force}, **input);
      ASSERT_FALSE(output) << name;
      EXPECT_EQ(output.error().code, ErrorCode::kUsage);
    }
  }
  EXPECT_EQ(Content("a"), "content");
}

TEST_F(OutputTest, OverwritesOnlyWithForce) {
  const auto input = InputFile::Open(Make("a", "content"));
  Make("b", "old");
  EXPECT_FALSE(Output::Open(Path("b"), {.force = false}, **input));
  const auto output = Output::Open(Path("b"), {.force = true}, **input);
  ASSERT_TRUE(output);
  EXPECT_EQ(Content("b"), "old");
  ASSERT_TRUE(Finish(**output, "new"));
  EXPECT_EQ(Content("b"), "new");
  EXPECT_FALSE(Output::Open(folder_, {.force = true}, **input));
  EXPECT_FALSE(Output::Open(Path("no/such/folder"), {.force = true}, **input));
}

TEST_F(OutputTest, KeepsALinkAndReplacesItsFile) {
  const auto input = InputFile::Open(Make("a", "content"));
  Make("b", "old");
  fs::create_symlink(Path("b"), Path("link"));
  const auto output = Output::Open(Path("link"), {.force = true}, **input);
  ASSERT_TRUE(output);
  ASSERT_TRUE(Finish(**output, "new"));
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(Content("b"), "new");
}

TEST_F(OutputTest, LeavesNothingBehind) {
  const auto input = InputFile::Open(Make("a", "content"));
  { ASSERT_TRUE(Output::Open(Path("b"), {.force = false}, **input)); }
  const auto files = fs::directory_iterator(folder_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(OutputTest, CopiesModeAndTime) {
  const std::string path = Make("a", "content");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const struct timespec times[2] = {{1000000000, 0}, {1234567890, 5000}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  const auto input = InputFile::Open(path);
  const auto output = Output::Open(Path("b"), {.force = false}, **input);
  ASSERT_TRUE(output);
  const auto finished = Finish(**output, "new");
  ASSERT_TRUE(finished);
  EXPECT_TRUE(*finished);
  struct stat info;
  ASSERT_EQ(::stat(Path("b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  EXPECT_EQ(info.st_mtim.tv_sec, 1234567890);
}

TEST_F(OutputTest, WritesHolesWithoutChangingTheContent) {
  const auto input = InputFile::Open(Make("a", "content"));
  std::mt19937 random(3);
  for (int round = 0; round < 50; ++round) {
    const auto output = Output::Open(Path("b"), {.force = true}, **input);
    ASSERT_TRUE(output);
    std::string expected;
    for (uint64_t part = random() % 6 + 1; part > 0; --part) {
      std::string text(random() % 20000, '\0');
      if (part % 2 == 0) text += "x";
      if (part == 4) {
        ASSERT_TRUE((*output)->Skip(text.size()));
        text.assign(text.size(), '\0');
      } else {
        ASSERT_TRUE((*output)->WriteSparsely(AsBytes(text)));
      }
      expected += text;
    }
    ASSERT_TRUE((*output)->Finish({}));
    ASSERT_EQ(Content("b"), expected);
  }
}

TEST_F(OutputTest, SetsWhatTheSourceHad) {
  const auto input = InputFile::Open(Make("a", "content"));
  const auto output = Output::Open(Path("b"), {}, **input);
  ASSERT_TRUE(output);
  const SourceInfo source = {"name", 0604, 1000000001, 7};
  ASSERT_TRUE(*(*output)->Finish(source));
  struct stat info;
  ASSERT_EQ(::stat(Path("b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0604u);
  EXPECT_EQ(info.st_mtim.tv_sec, 1000000001);
}

TEST_F(OutputTest, GoesOnWithAPartOnlyIfAsked) {
  const auto input = InputFile::Open(Make("a", "content"));
  Make("b.part", "half");
  const OutputOptions anew = {.is_resumable = true};
  EXPECT_EQ(Output::Open(Path("b"), anew, **input).error().code,
            ErrorCode::kUsage);
  const OutputOptions resume = {.is_resumable = true, .resume = true};
  {
    const auto output = Output::Open(Path("b"), resume, **input);
    ASSERT_TRUE(output) << output.error().what;
    // No other process may write it.
    EXPECT_FALSE(Output::Open(Path("b"), resume, **input));
    ASSERT_TRUE((*output)->TruncateTo(2));
    ASSERT_TRUE((*output)->Write(AsBytes("!")));
  }
  EXPECT_EQ(Content("b.part"), "ha!");  // it stays
  const OutputOptions forced = {.force = true, .is_resumable = true};
  { ASSERT_TRUE(Output::Open(Path("b"), forced, **input)); }
  EXPECT_FALSE(fs::exists(Path("b.part")));
}

TEST_F(OutputTest, WritesToDevices) {
  const auto input = InputFile::Open(Make("a", "content"));
  for (const bool force : {false, true}) {
    const auto output = Output::Open("/dev/null", {.force = force}, **input);
    ASSERT_TRUE(output);
    EXPECT_TRUE(Finish(**output, "new"));
  }
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(OutputTest, NamesWhatItCannotRead) {
  const auto missing = InputFile::Open(Path("no"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().what, Path("no") + ": No such file or directory");
  EXPECT_TRUE(IsDirectory(folder_));
  EXPECT_FALSE(IsDirectory(Path("no")));
}

}  // namespace
}  // namespace llma::cli
