// SPDX-License-Identifier: Apache-2.0
#include "platform/output_file.h"

#include <fcntl.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "platform/testing/test_folder.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

class OutputFileTest : public FolderTest {
 protected:
  uint32_t Mode(const std::string& path) {
    const auto info = InfoOf(path);
    return info ? info->mode : 0;
  }
};

TEST_F(OutputFileTest, CommittedFilesAppearWhole) {
  auto file = OutputFile::Create(Path("a"), {});
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->Write(AsBytes("hello ")));
  EXPECT_FALSE(fs::exists(Path("a")));
  ASSERT_TRUE(file->Write(AsBytes("world")));
  ASSERT_TRUE(file->SyncAndCommit());
  EXPECT_EQ(Content("a"), "hello world");
  EXPECT_EQ(NumFiles(), 1u);
}

TEST_F(OutputFileTest, TheStartMayBeWrittenLast) {
  auto file = OutputFile::Create(Path("a"), {});
  ASSERT_TRUE(file);
  ASSERT_TRUE(file->Write(AsBytes("????? world")));
  ASSERT_TRUE(file->WriteStart(AsBytes("hello")));
  ASSERT_TRUE(file->SyncAndCommit());
  EXPECT_EQ(Content("a"), "hello world");
}

TEST_F(OutputFileTest, AbandonedFilesLeaveNothing) {
  {
    auto file = OutputFile::Create(Path("a"), {});
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->Write(AsBytes("x")));
  }
  EXPECT_EQ(NumFiles(), 0u);
}

TEST_F(OutputFileTest, NeverOverwritesUnasked) {
  auto first = OutputFile::Create(Path("a"), {});
  auto second = OutputFile::Create(Path("a"), {});
  ASSERT_TRUE(first && second);
  ASSERT_TRUE(first->Commit());
  EXPECT_EQ(second->Commit().error().code, ErrorCode::kUsage);
  EXPECT_EQ(OutputFile::Create(Path("a"), {}).error().code, ErrorCode::kUsage);
  // Windows has file systems that replace no file that is open.
  { const OutputFile closed = std::move(*first); }
  auto third = OutputFile::Create(Path("a"), {.overwrite = true});
  ASSERT_TRUE(third);
  EXPECT_TRUE(third->Commit());
}

TEST_F(OutputFileTest, KeepsWhatIsCompleteIfAskedTo) {
  for (const bool keeps : {false, true}) {
    std::string temporary;
    {
      auto file = OutputFile::Create(Path("a"), {.keep_complete = keeps});
      ASSERT_TRUE(file);
      temporary = file->temporary_path();
      ASSERT_TRUE(file->Write(AsBytes("work of hours")));
      Make("a", "came between");
      const auto error = file->Commit().error();
      EXPECT_EQ(error.what,
                Path("a") + " exists already" +
                    (keeps ? "; the result is complete in " + temporary : ""));
    }
    EXPECT_EQ(Content("a"), "came between");
    EXPECT_EQ(fs::exists(temporary), keeps);
    fs::remove(Path("a"));
  }
}

#if !defined(_WIN32)
TEST_F(OutputFileTest, IsPrivateUntilItIsComplete) {
  const mode_t mask = ::umask(027);
  for (const bool is_resumable : {false, true}) {
    auto file = OutputFile::Create(
        Path("a"), {.overwrite = true, .is_resumable = is_resumable});
    ASSERT_TRUE(file);
    EXPECT_EQ(Mode(file->temporary_path()), 0600u);
    ASSERT_TRUE(file->Commit());
    EXPECT_EQ(Mode(Path("a")), 0640u);
  }
  // The mask is as it was, and was so all the time.
  EXPECT_EQ(::umask(mask), 027u);
  auto file = OutputFile::Create(Path("b"), {.has_own_mode = true});
  ASSERT_TRUE(file && file->SetMode(0604) && file->Commit());
  EXPECT_EQ(Mode(Path("b")), 0604u);
  EXPECT_EQ(NumFiles(), 2u);
}

TEST_F(OutputFileTest, TakesNamesAsLongAsTheFileSystemHas) {
  std::string glyphs;
  for (int i = 0; i < 82; ++i) glyphs += "\xe5\xad\x97";
  for (const std::string& name :
       {std::string(255, 'a'), std::string(250, 'b'), std::string(245, 'c'),
        glyphs + "123456789"}) {
    for (const bool is_resumable : {false, true}) {
      auto file = OutputFile::Create(
          Path(name), {.overwrite = true, .is_resumable = is_resumable});
      ASSERT_TRUE(file) << file.error().what;
      ASSERT_TRUE(file->Write(AsBytes(name)));
      ASSERT_TRUE(file->Commit());
      EXPECT_EQ(Content(name), name);
    }
  }
  EXPECT_EQ(NumFiles(), 4u);
  // At once, not when all is written.
  const auto too_long = OutputFile::Create(Path(std::string(256, 'a')), {});
  ASSERT_FALSE(too_long);
  EXPECT_NE(too_long.error().what.find("too long"), std::string::npos);
}
#endif

TEST_F(OutputFileTest, ResumesUnderLongNames) {
  const std::string a = std::string(251, 'n') + "a";
  const std::string b = std::string(251, 'n') + "b";
  const OutputFileOptions resume = {
      .is_resumable = true, .resume = true, .keep_part = true};
  for (const std::string& name : {a, b}) {
    auto file = OutputFile::Create(Path(name), resume);
    ASSERT_TRUE(file && file->Write(AsBytes(name)));
  }
  EXPECT_EQ(NumFiles(), 2u);
  auto file = OutputFile::Create(Path(a), resume);
  ASSERT_TRUE(file) << file.error().what;
  const Status status = file->Commit();
  ASSERT_TRUE(status) << status.error().what;
  EXPECT_EQ(Content(a), a);
}

TEST_F(OutputFileTest, OnePartAtATime) {
  const OutputFileOptions how = {.is_resumable = true};
  {
    const auto first = OutputFile::Create(Path("a"), how);
    ASSERT_TRUE(first);
    for (const bool overwrite : {false, true}) {
      const auto second = OutputFile::Create(
          Path("a"), {.overwrite = overwrite, .is_resumable = true});
      ASSERT_FALSE(second);
      EXPECT_EQ(second.error().code, ErrorCode::kUsage);
    }
  }
  EXPECT_TRUE(OutputFile::Create(Path("a"), how));
}

#if !defined(_WIN32)
TEST_F(OutputFileTest, GoesOnOnlyWithAFileOfItsOwn) {
  const OutputFileOptions resume = {.is_resumable = true, .resume = true};
  Make("precious", "precious");
  fs::create_hard_link(Path("precious"), Path("a.part"));
  EXPECT_FALSE(OutputFile::Create(Path("a"), resume));
  // Anew: another file of the name, not that one made empty.
  ASSERT_TRUE(
      OutputFile::Create(Path("a"), {.overwrite = true, .is_resumable = true}));
  EXPECT_EQ(Content("precious"), "precious");
  fs::create_symlink("precious", Path("b.part"));
  EXPECT_FALSE(OutputFile::Create(Path("b"), resume));
  ASSERT_EQ(::mkfifo(Path("c.part").c_str(), 0600), 0);
  EXPECT_FALSE(OutputFile::Create(Path("c"), resume));
  EXPECT_EQ(Content("precious"), "precious");
}

TEST_F(OutputFileTest, NoticesThatItsPartIsAnotherFile) {
  {
    auto file = OutputFile::Create(Path("a"), {.is_resumable = true});
    ASSERT_TRUE(file);
    fs::remove(Path("a.part"));
    Make("a.part", "another's");
    EXPECT_EQ(file->Commit().error().code, ErrorCode::kIo);
  }
  EXPECT_FALSE(fs::exists(Path("a")));
  EXPECT_EQ(Content("a.part"), "another's");
}

TEST_F(OutputFileTest, GoesAlongWithItsFolder) {
  fs::create_directory(Path("dir"));
  auto file = OutputFile::Create(Path("dir/a"), {.is_resumable = true});
  ASSERT_TRUE(file && file->Write(AsBytes("x")));
  fs::rename(Path("dir"), Path("moved"));
  ASSERT_TRUE(file->SyncAndCommit());
  EXPECT_EQ(Content("moved/a"), "x");
}
#endif

TEST_F(OutputFileTest, ErrorsAreValues) {
  EXPECT_EQ(OutputFile::Create(Path("no/such/dir"), {}).error().code,
            ErrorCode::kIo);
}

}  // namespace
}  // namespace llma
