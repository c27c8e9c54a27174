// SPDX-License-Identifier: Apache-2.0
#include "cli/file_ops.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "container/frame_header.h"

namespace llma::cli {
namespace {

namespace fs = std::filesystem;

class FileOps : public testing::Test {
 protected:
  FileOps() {
    std::string name = fs::temp_directory_path() / "llma-test-XXXXXX";
    EXPECT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
  }
  ~FileOps() override { fs::remove_all(folder_); }

  std::string Path(const std::string& name) const { return folder_ / name; }

  std::string Make(const std::string& name, const std::string& content) {
    auto file = OutputFile::Create(Path(name), true);
    EXPECT_TRUE(file && file->Write(AsBytes(content)) && file->Commit());
    return Path(name);
  }

  std::string Content(const std::string& name) const {
    const auto bytes = ReadFile(Path(name));
    return bytes ? std::string(AsStringView(*bytes)) : "(unreadable)";
  }

  // "IN>OUT" without the folder, or "error".
  std::string Decompressed(const std::string& a, const std::string& b,
                           bool force) const {
    const auto pair = DecompressedPair({Path(a), Path(b)}, "", force);
    if (!pair) return "error";
    return fs::path(pair->in).filename().string() + ">" +
           fs::path(pair->out).filename().string();
  }

  const std::string magic_{kFrameMagic.begin(), kFrameMagic.end()};
  fs::path folder_;
};

TEST_F(FileOps, DerivesNames) {
  EXPECT_EQ(CompressedPair({"a"}, "")->out, "a.llma");
  EXPECT_EQ(CompressedPair({"a"}, "b")->out, "b");
  EXPECT_EQ(CompressedPair({"a", "b"}, "")->out, "b");
  EXPECT_EQ(CompressedPair({}, "")->in, "-");
  EXPECT_EQ(CompressedPair({"-"}, "")->out, "-");
  EXPECT_EQ(CompressedPair({}, "b")->out, "b");
  EXPECT_FALSE(CompressedPair({"a.llma"}, ""));
  EXPECT_EQ(CompressedPair({"a.llma"}, "-")->out, "-");
  EXPECT_EQ(CompressedPair({"/x/.llma"}, "")->out, "/x/.llma.llma");
  EXPECT_EQ(DecompressedPair({"a.txt.llma"}, "", false)->out, "a.txt");
  EXPECT_EQ(DecompressedPair({"a.txt"}, "b", false)->out, "b");
  EXPECT_EQ(DecompressedPair({}, "", false)->out, "-");
  EXPECT_FALSE(DecompressedPair({"a.txt"}, "", false));
  EXPECT_FALSE(DecompressedPair({"x/.llma"}, "", false));
}

TEST_F(FileOps, OrdersTheOperandsOfDecompressing) {
  Make("ours", magic_ + "...");
  Make("ours2", magic_ + "...");
  Make("text", "text");
  Make("short", magic_.substr(0, 3));
  for (const bool force : {false, true}) {
    EXPECT_EQ(Decompressed("ours", "new", force), "ours>new");
    EXPECT_EQ(Decompressed("new", "ours", force), "ours>new");
    EXPECT_EQ(Decompressed("new", "text", force), "new>text");
    EXPECT_EQ(Decompressed("new", "short", force), "new>short");
    EXPECT_EQ(Decompressed("new", "new2", force), "new>new2");
    EXPECT_EQ(Decompressed("text", "new", force), "text>new");
    // Opening the output fails, unless forced.
    EXPECT_EQ(Decompressed("ours", "text", force), "ours>text");
    EXPECT_EQ(Decompressed("ours", "ours2", force), "error");
    EXPECT_EQ(Decompressed("ours", "ours", force), "ours>ours");
  }
  EXPECT_EQ(Decompressed("text", "ours", false), "error");
  EXPECT_EQ(Decompressed("text", "ours", true), "ours>text");
  EXPECT_EQ(DecompressedPair({Path("ours"), "/dev/null"}, "", false)->out,
            "/dev/null");
  EXPECT_EQ(DecompressedPair({"-", Path("ours")}, "", true)->in, "-");
}

TEST_F(FileOps, NeverOverwritesTheInput) {
  const std::string path = Make("a", "content");
  fs::create_hard_link(path, Path("hard"));
  fs::create_symlink(path, Path("soft"));
  const auto input = ReadInput(path);
  ASSERT_TRUE(input);
  for (const std::string name : {"a", "hard", "soft"}) {
    for (const bool force : {false, true}) {
      const auto output = Output::Open(Path(name), force, *input);
      ASSERT_FALSE(output) << name;
      EXPECT_EQ(output.error().code, ErrorCode::kUsage);
    }
  }
  EXPECT_EQ(Content("a"), "content");
}

TEST_F(FileOps, OverwritesOnlyWithForce) {
  const auto input = ReadInput(Make("a", "content"));
  Make("b", "old");
  EXPECT_FALSE(Output::Open(Path("b"), false, *input));
  const auto output = Output::Open(Path("b"), true, *input);
  ASSERT_TRUE(output);
  EXPECT_EQ(Content("b"), "old");
  ASSERT_TRUE((*output)->Finish(AsBytes("new"), *input));
  EXPECT_EQ(Content("b"), "new");
  EXPECT_FALSE(Output::Open(folder_, true, *input));
  EXPECT_FALSE(Output::Open(Path("no/such/folder"), true, *input));
}

TEST_F(FileOps, KeepsALinkAndReplacesItsFile) {
  const auto input = ReadInput(Make("a", "content"));
  Make("b", "old");
  fs::create_symlink(Path("b"), Path("link"));
  const auto output = Output::Open(Path("link"), true, *input);
  ASSERT_TRUE(output);
  ASSERT_TRUE((*output)->Finish(AsBytes("new"), *input));
  EXPECT_TRUE(fs::is_symlink(Path("link")));
  EXPECT_EQ(Content("b"), "new");
}

TEST_F(FileOps, LeavesNothingBehind) {
  const auto input = ReadInput(Make("a", "content"));
  { ASSERT_TRUE(Output::Open(Path("b"), false, *input)); }
  const auto files = fs::directory_iterator(folder_);
  EXPECT_EQ(std::distance(begin(files), end(files)), 1);
}

TEST_F(FileOps, CopiesModeAndTime) {
  const std::string path = Make("a", "content");
  ASSERT_EQ(::chmod(path.c_str(), 0640), 0);
  const struct timespec times[2] = {{1000000000, 0}, {1234567890, 5000}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, 0), 0);
  const auto input = ReadInput(path);
  const auto output = Output::Open(Path("b"), false, *input);
  ASSERT_TRUE(output);
  const auto finished = (*output)->Finish(AsBytes("new"), *input);
  ASSERT_TRUE(finished);
  EXPECT_TRUE(*finished);
  struct stat info;
  ASSERT_EQ(::stat(Path("b").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 07777, 0640u);
  EXPECT_EQ(info.st_mtim.tv_sec, 1234567890);
}

TEST_F(FileOps, WritesToDevices) {
  const auto input = ReadInput(Make("a", "content"));
  for (const bool force : {false, true}) {
    const auto output = Output::Open("/dev/null", force, *input);
    ASSERT_TRUE(output);
    EXPECT_TRUE((*output)->Finish(AsBytes("new"), *input));
  }
  EXPECT_TRUE(fs::is_character_file("/dev/null"));
}

TEST_F(FileOps, NamesWhatItCannotRead) {
  const auto missing = ReadInput(Path("no"));
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().what, Path("no") + ": No such file or directory");
  EXPECT_TRUE(IsDirectory(folder_));
  EXPECT_FALSE(IsDirectory(Path("no")));
}

}  // namespace
}  // namespace llma::cli
