// SPDX-License-Identifier: Apache-2.0
// Files of stored frames: what may stand where.
#include "container/frame_parser.h"

#include <gtest/gtest.h>

#include <string>

#include "container/test_file_writer.h"

namespace llma {
namespace {

// The contents, a '|' after each, or an error.
Result<std::string> Read(const std::string& file, size_t step_bytes,
                         FrameParserOptions options = {}) {
  FrameParser parser(options);
  std::string contents;
  for (size_t ofs = 0; ofs <= file.size(); ofs += step_bytes) {
    parser.Append(
        AsBytes(file).subspan(ofs, std::min(step_bytes, file.size() - ofs)));
    if (ofs + step_bytes > file.size()) parser.MarkEnd();
    for (;;) {
      LLMA_ASSIGN(const auto frame, parser.Next());
      if (!frame) break;
      EXPECT_EQ(file.substr(static_cast<size_t>(frame->payload_ofs),
                            frame->payload.size()),
                AsStringView(frame->payload));
      contents.append(AsStringView(frame->payload)).append("|");
    }
  }
  return contents;
}

void ExpectContents(const std::string& file, const std::string& contents) {
  for (const size_t step : {size_t{1}, size_t{7}, size_t{1} << 20}) {
    const auto read = Read(file, step);
    ASSERT_TRUE(read) << read.error().what;
    EXPECT_EQ(*read, contents);
  }
}

ErrorCode ErrorOf(const std::string& file) {
  const auto read = Read(file, 5);
  return read ? ErrorCode{} : read.error().code;
}

TEST(FrameParser, ReadsMembers) {
  ExpectContents(TestFileWriter().Stored("abc", true).file(), "abc|");
  ExpectContents(TestFileWriter().Stored("", true).file(), "|");
  ExpectContents(TestFileWriter().Stored("ab").Stored("c").Index().file(),
                 "ab|c|");
  ExpectContents(TestFileWriter().Stored("ab").Index().file(), "ab|");
  ExpectContents(TestFileWriter()
                     .Stored("a", true)
                     .Stored("b")
                     .Stored("c")
                     .Index()
                     .Stored("d", true)
                     .file(),
                 "a|b|c|d|");
}

TEST(FrameParser, SkipsWhatItNeedNotKnow) {
  ExpectContents(TestFileWriter()
                     .Skippable(200, "first")
                     .Stored("a")
                     .Skippable(7, std::string(100000, 'x'))
                     .Stored("b")
                     .Index()
                     .Skippable(9, "")
                     .file(),
                 "a|b|");
}

TEST(FrameParser, TellsTheSource) {
  const SourceInfo info = {"name", 0640, 99, 1};
  const std::string file =
      TestFileWriter().Source(info).Stored("a", true).Stored("b", true).file();
  FrameParser parser;
  parser.Append(AsBytes(file));
  ASSERT_TRUE(*parser.Next());
  EXPECT_EQ(parser.source_info(), info);
  ASSERT_TRUE(*parser.Next());
  EXPECT_FALSE(parser.source_info());  // of the second member
}

TEST(FrameParser, ZerosMayFollowTheLastMember) {
  const std::string zeros(3000, '\0');
  for (const std::string& file :
       {TestFileWriter().Stored("ab", true).file(),
        TestFileWriter().Stored("ab").Index().file(),
        TestFileWriter().Stored("ab", true).Skippable(9, "x").file()}) {
    ExpectContents(file + '\0', "ab|");
    ExpectContents(file + zeros, "ab|");
    EXPECT_EQ(ErrorOf(file + zeros + "x"), ErrorCode::kCorrupt);
    EXPECT_EQ(ErrorOf(file + zeros + file), ErrorCode::kCorrupt);
    EXPECT_EQ(ErrorOf(file + "x" + zeros), ErrorCode::kCorrupt);
    EXPECT_EQ(Read(file + zeros + "x", 7).error().offset,
              file.size() + zeros.size());
  }
  EXPECT_EQ(ErrorOf(zeros), ErrorCode::kBadMagic);
  EXPECT_EQ(ErrorOf(TestFileWriter().Stored("ab").file() + zeros),
            ErrorCode::kCorrupt);
}

TEST(FrameParser, EveryTruncationIsAnError) {
  const std::string file = TestFileWriter()
                               .Source({"n", 0, 0, 0})
                               .Stored("abc")
                               .Stored("d")
                               .Skippable(8, "xy")
                               .Index()
                               .file();
  for (size_t size = 0; size < file.size(); ++size) {
    EXPECT_EQ(ErrorOf(file.substr(0, size)), ErrorCode::kTruncated) << size;
  }
  const std::string members =
      TestFileWriter().Stored("abc", true).Stored("d", true).file();
  // At the end of a member it is a whole file.
  for (size_t size = 15; size < members.size(); ++size) {
    EXPECT_EQ(ErrorOf(members.substr(0, size)), ErrorCode::kTruncated) << size;
  }
}

TEST(FrameParser, NoticesMissingAndMovedFrames) {
  const auto frame = [](const std::string& content) {
    return TestFileWriter().Stored(content).file();
  };
  const std::string file =
      TestFileWriter().Stored("one").Stored("two").Stored("six").Index().file();
  const std::string index = file.substr(3 * frame("one").size());
  ExpectContents(frame("one") + frame("two") + frame("six") + index,
                 "one|two|six|");
  for (const std::string& wrong :
       {frame("one") + frame("six") + frame("two") + index,
        frame("one") + frame("two") + index,
        frame("one") + frame("two") + frame("two") + frame("six") + index,
        frame("one") + frame("two") + frame("six"), index,
        frame("one") + TestFileWriter().Stored("two", true).file(),
        TestFileWriter().Skippable(9, "alone").file()}) {
    EXPECT_FALSE(Read(wrong, 1000));
  }
}

TEST(FrameParser, EveryFlippedBitOutsideOfContentsIsAnError) {
  const std::string file = TestFileWriter()
                               .Source({"n", 0, 0, 0})
                               .Stored("")
                               .Skippable(8, "xy")
                               .Index()
                               .file();
  for (size_t i = 0; i < 8 * file.size(); ++i) {
    std::string damaged = file;
    damaged[i / 8] = static_cast<char>(damaged[i / 8] ^ 1 << i % 8);
    EXPECT_NE(ErrorOf(damaged), ErrorCode{}) << i;
  }
}

TEST(FrameParser, NamesWhatIsWrong) {
  EXPECT_EQ(ErrorOf("PK: another kind"), ErrorCode::kBadMagic);
  const auto after_end =
      Read(TestFileWriter().Stored("a", true).file() + "tail", 99);
  EXPECT_EQ(after_end.error().code, ErrorCode::kCorrupt);
  EXPECT_EQ(after_end.error().offset, 12u);
  EXPECT_EQ(ErrorOf(""), ErrorCode::kTruncated);
}

TEST(FrameParser, BoundsPayloads) {
  const std::string file =
      TestFileWriter().Stored(std::string(2000, 'a'), true).file();
  EXPECT_TRUE(Read(file, 100, {.max_payload_bytes = 2000}));
  EXPECT_EQ(Read(file, 100, {.max_payload_bytes = 1999}).error().code,
            ErrorCode::kLimit);
}

}  // namespace
}  // namespace llma
