// SPDX-License-Identifier: Apache-2.0
#include "container/frame_map.h"

#include <gtest/gtest.h>

#include "container/test_file_writer.h"

namespace llma {
namespace {

std::string TwoMembers() {
  return TestFileWriter()
      .Source({"n", 0, 0, 0})
      .Stored("abc")
      .Stored("de")
      .Index()
      .Skippable(9, "x")
      .Stored("f")
      .Index()
      .file();
}

TEST(FrameMap, IndexAndHeadersAgree) {
  const std::string file = TwoMembers();
  const auto by_index = MapFramesByIndex(InMemory(AsBytes(file)));
  const auto by_headers = MapFramesByHeaders(InMemory(AsBytes(file)));
  ASSERT_TRUE(by_index && *by_index);
  ASSERT_TRUE(by_headers);
  EXPECT_EQ((*by_index)->frames, by_headers->frames);
  EXPECT_EQ(by_headers->frames.size(), 5u);
  EXPECT_EQ(by_headers->content_bytes, 6u);
  EXPECT_EQ(by_headers->num_members, 2u);
  const FrameLocation& last = by_headers->frames.back();
  EXPECT_EQ(last.content_ofs, 5u);
  EXPECT_TRUE(ReadFrameHeader(InMemory(AsBytes(file)), last.frame_ofs));
}

TEST(FrameMap, GoesByHeadersWithoutAnIndex) {
  const std::string file =
      TestFileWriter().Stored("ab", true).Stored("cd", true).file();
  const RandomAccess access = InMemory(AsBytes(file));
  EXPECT_FALSE(*MapFramesByIndex(access));
  const auto map = MapFrames(access);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->frames.size(), 2u);
  EXPECT_EQ(map->content_bytes, 4u);
}

TEST(FrameMap, ZerosMayFollowTheLastMember) {
  const std::string zeros(3000000, '\0');
  // The last one ends with zeros of its own.
  for (const std::string& file :
       {TwoMembers(), TestFileWriter()
                          .Stored(std::string("ab\0\0", 4), true)
                          .Stored(std::string("c\0", 2), true)
                          .file()}) {
    const auto map = MapFrames(InMemory(AsBytes(file)));
    ASSERT_TRUE(map);
    for (const size_t num_zeros : {size_t{1}, size_t{500}, zeros.size()}) {
      const std::string padded = file + zeros.substr(0, num_zeros);
      const auto same = MapFrames(InMemory(AsBytes(padded)));
      ASSERT_TRUE(same) << same.error().what;
      EXPECT_EQ(same->frames, map->frames);
      EXPECT_EQ(same->num_members, map->num_members);
      EXPECT_FALSE(MapFrames(InMemory(AsBytes(padded + "x"))));
    }
  }
  EXPECT_FALSE(MapFrames(InMemory(AsBytes(zeros))));
  EXPECT_FALSE(MapFrames(
      InMemory(AsBytes(TestFileWriter().Stored("a").file() + zeros))));
}

TEST(FrameMap, TruncationsAreErrors) {
  const std::string file = TwoMembers();
  const size_t first_member =
      file.size() -
      TestFileWriter().Skippable(9, "x").Stored("f").Index().file().size();
  for (size_t size = 0; size < file.size(); ++size) {
    const auto map = MapFrames(InMemory(AsBytes(file).first(size)));
    // What is skippable is not missed.
    const bool is_whole = size == first_member || size == first_member + 13;
    EXPECT_EQ(map.has_value(), is_whole) << size;
  }
}

TEST(FrameMap, DamagedIndexesAreNotTrusted) {
  const std::string file = TwoMembers();
  for (size_t i = 0; i < file.size(); ++i) {
    std::string damaged = file;
    damaged[i] ^= 0x10;
    const auto map = MapFramesByIndex(InMemory(AsBytes(damaged)));
    ASSERT_TRUE(map);
    if (*map) {
      EXPECT_EQ((*map)->content_bytes, 6u) << i;
    }
  }
}

// By whatever way the sizes come, their sum does not wrap around.
TEST(FrameMap, SumsOfContentAreChecked) {
  FrameIndex index;
  index.entries.assign((1 << 14) - 1, {kMinFrameBytes, kMaxContentBytes});
  const std::vector<uint8_t> index_frame = WriteIndexFrame(index);
  std::string indexed;
  for (int i = 0; i < 5; ++i) {
    indexed.append(index.entries.size() * kMinFrameBytes, 'x');
    indexed.append(AsStringView(index_frame));
  }
  // One such member is believed, not that several follow each other.
  const size_t one = indexed.size() / 5;
  EXPECT_TRUE(*MapFramesByIndex(InMemory(AsBytes(indexed).first(one))));
  EXPECT_FALSE(*MapFramesByIndex(InMemory(AsBytes(indexed))));
}

}  // namespace
}  // namespace llma
