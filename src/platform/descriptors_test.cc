// SPDX-License-Identifier: Apache-2.0
#include "platform/descriptors.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <array>
#include <chrono>
#include <thread>

#include "base/bytes.h"
#include "platform/mapped_file.h"
#include "platform/testing/test_folder.h"

namespace llma {
namespace {

class DescriptorsTest : public FolderTest {};

TEST_F(DescriptorsTest, ReadsFilesInEveryWay) {
  const std::string path = Make("a", "hello world");
  const auto content = ReadFile(path);
  ASSERT_TRUE(content);
  EXPECT_EQ(AsStringView(*content), "hello world");
  EXPECT_EQ(ReadFile(path, 4).error().code, ErrorCode::kLimit);
  const auto map = MappedFile::Open(path);
  ASSERT_TRUE(map);
  EXPECT_EQ(AsStringView(map->bytes()), "hello world");
  const Descriptor file = OpenForReading(path);
  std::array<uint8_t, 20> buffer;
  ASSERT_TRUE(ReadFileAt(file.get(), 6, buffer));
  EXPECT_EQ(*ReadFileAt(file.get(), 6, buffer), 5u);
  EXPECT_EQ(AsStringView(Bytes(buffer).first(5)), "world");
}

TEST_F(DescriptorsTest, ErrorsAreValues) {
  EXPECT_EQ(ReadFile(Path("missing")).error().what,
            "cannot open " + Path("missing") + ": No such file or directory");
  EXPECT_EQ(MappedFile::Open(Path("missing")).error().code, ErrorCode::kIo);
  EXPECT_EQ(MappedFile::Open(folder_).error().code, ErrorCode::kIo);
  EXPECT_EQ(ReadFile(folder_).error().code, ErrorCode::kIo);
  EXPECT_EQ(WriteAll(-1, AsBytes("x")).error().code, ErrorCode::kIo);
  EXPECT_FALSE(SyncFile(-1));
}

#if !defined(_WIN32)
TEST_F(DescriptorsTest, WaitsForNonBlockingPipes) {
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe2(ends.data(), O_NONBLOCK), 0);
  Descriptor reader(ends[0]), writer(ends[1]);
  // More than a pipe holds, to somebody who takes his time.
  const std::vector<uint8_t> sent(1 << 20, 'x');
  Status written = Error{ErrorCode::kInternal, "not yet"};
  std::thread thread([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
    written = WriteAll(writer.get(), sent);
    writer = Descriptor();
  });
  std::vector<uint8_t> first(10);
  EXPECT_GT(ReadSome(reader.get(), first), 0);
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const auto rest = ReadAll(reader.get(), ~uint64_t{0});
  thread.join();
  EXPECT_TRUE(written);
  ASSERT_TRUE(rest);
  EXPECT_GT(rest->size(), sent.size() - 11);
}

TEST_F(DescriptorsTest, SyncsWhatCannotBeSynced) {
  std::array<int, 2> ends;
  ASSERT_EQ(::pipe(ends.data()), 0);
  const Descriptor reader(ends[0]), writer(ends[1]);
  EXPECT_TRUE(SyncFile(writer.get()));
  EXPECT_TRUE(SyncContent(writer.get()));
}
#endif

}  // namespace
}  // namespace llma
