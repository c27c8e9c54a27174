// SPDX-License-Identifier: Apache-2.0
#include "model/llmm_writer.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <string>

#include "platform/descriptors.h"
#include "platform/interruptions.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

class LlmmWriterTest : public testing::Test {
 protected:
  LlmmWriterTest() {
    std::string name = testing::TempDir() + "llma_writer_XXXXXX";
    folder_ = ::mkdtemp(name.data());
  }
  ~LlmmWriterTest() override { fs::remove_all(folder_); }

  void SetUp() override {
    auto bytes = ReadFile(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(bytes);
    bytes_ = *std::move(bytes);
    header_ = *ParseModelHeader(bytes_);
  }

  Result<LlmmWriter> Begin() const {
    return LlmmWriter::Create(folder_ + "/a.llmm", false, header_);
  }

  // How a process ends that gets the signal while it writes a model, or after
  // it has given up doing so.
  int StatusAfter(int signal_number, bool gives_up) const {
    const pid_t child = ::fork();
    if (child == 0) {
      HandleInterruptions({.end = [](Ending) {}, .tell = [] {}});
      {
        const auto writer = Begin();
        if (!writer || fs::is_empty(folder_)) ::_exit(2);
        if (!gives_up) ::raise(signal_number);
      }
      ::raise(signal_number);
      ::_exit(3);
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return status;
  }

  std::string folder_;
  std::vector<uint8_t> bytes_;
  ModelHeader header_;
};

TEST_F(LlmmWriterTest, NothingIsLeftWithoutAnEnd) {
  {
    const auto writer = Begin();
    ASSERT_TRUE(writer) << writer.error().what;
    EXPECT_FALSE(fs::is_empty(folder_));
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(LlmmWriterTest, NothingIsLeftByAnInterruption) {
  for (const int signal_number : {SIGINT, SIGTERM, SIGHUP}) {
    for (const bool gives_up : {false, true}) {
      const int status = StatusAfter(signal_number, gives_up);
      ASSERT_TRUE(WIFSIGNALED(status)) << status;
      EXPECT_EQ(WTERMSIG(status), signal_number);
      EXPECT_TRUE(fs::is_empty(folder_)) << signal_number;
    }
  }
  // A file that is lost while it is read is an error.
  const int status = StatusAfter(SIGBUS, false);
  ASSERT_TRUE(WIFEXITED(status)) << status;
  EXPECT_EQ(WEXITSTATUS(status), 1);
  EXPECT_TRUE(fs::is_empty(folder_));
}

TEST_F(LlmmWriterTest, NamesThatStandForOthersAreRefused) {
  for (const char* name :
       {"", ".", "..", "auto", "default", "a.llmm", "A", "a/b"}) {
    header_.name = name;
    const auto writer = Begin();
    ASSERT_FALSE(writer) << name;
    EXPECT_EQ(writer.error().code, ErrorCode::kUsage);
    EXPECT_FALSE(IsNewModelName(name));
  }
  for (const char* name : {"a", "auto1", "...", "a.llmm.b", "-"}) {
    EXPECT_TRUE(IsNewModelName(name)) << name;
  }
  EXPECT_TRUE(fs::is_empty(folder_));
}

}  // namespace
}  // namespace llma
