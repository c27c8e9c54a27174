// SPDX-License-Identifier: Apache-2.0
#include "store/zip_reader.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include <string>
#include <vector>

namespace llma::store {
namespace {

void Put(std::string& to, size_t size, uint64_t value) {
  for (size_t i = 0; i < size; ++i) to += static_cast<char>(value >> 8 * i);
}

void Set(std::string& in, size_t at, size_t size, uint64_t value) {
  std::string bytes;
  Put(bytes, size, value);
  in.replace(at, size, bytes);
}

std::string Deflated(const std::string& content) {
  z_stream stream{};
  EXPECT_EQ(
      deflateInit2(&stream, 6, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY),
      Z_OK);
  std::string packed(deflateBound(&stream, content.size()), 0);
  std::string input = content;
  stream.next_in = reinterpret_cast<uint8_t*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<uint8_t*>(packed.data());
  stream.avail_out = static_cast<uInt>(packed.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  packed.resize(stream.total_out);
  deflateEnd(&stream);
  return packed;
}

struct Member {
  std::string name, content;
  bool is_deflated = false;
};

// An archive, and where things are in it.
struct Archive {
  std::string bytes;
  std::vector<size_t> headers, entries;
  size_t end = 0;
};

Archive Make(const std::vector<Member>& members,
             const std::string& comment = "") {
  Archive archive;
  std::string& bytes = archive.bytes;
  std::string directory;
  for (const Member& member : members) {
    const std::string packed =
        member.is_deflated ? Deflated(member.content) : member.content;
    const uint32_t crc = static_cast<uint32_t>(
        ::crc32(0, reinterpret_cast<const uint8_t*>(member.content.data()),
                static_cast<uInt>(member.content.size())));
    archive.headers.push_back(bytes.size());
    archive.entries.push_back(directory.size());
    const auto put_common = [&](std::string& to) {
      Put(to, 2, 20);  // version
      Put(to, 2, 0);   // flags
      Put(to, 2, member.is_deflated ? 8 : 0);
      Put(to, 4, 0);  // time
      Put(to, 4, crc);
      Put(to, 4, packed.size());
      Put(to, 4, member.content.size());
      Put(to, 2, member.name.size());
      Put(to, 2, 0);  // extra field
    };
    Put(directory, 4, 0x02014b50);
    Put(directory, 2, 20);  // made by
    put_common(directory);
    Put(directory, 2, 0);  // comment
    Put(directory, 2, 0);  // part
    Put(directory, 6, 0);  // attributes
    Put(directory, 4, bytes.size());
    directory += member.name;
    Put(bytes, 4, 0x04034b50);
    put_common(bytes);
    bytes += member.name + packed;
  }
  const size_t begin = bytes.size();
  for (size_t& entry : archive.entries) entry += begin;
  bytes += directory;
  archive.end = bytes.size();
  Put(bytes, 4, 0x06054b50);
  Put(bytes, 4, 0);
  Put(bytes, 2, members.size());
  Put(bytes, 2, members.size());
  Put(bytes, 4, directory.size());
  Put(bytes, 4, begin);
  Put(bytes, 2, comment.size());
  bytes += comment;
  return archive;
}

Result<std::string> Extract(const std::string& archive, const std::string& name,
                            uint64_t max_bytes = 1 << 20) {
  // A copy of the exact size, so that a checked build sees a byte beyond it.
  const std::vector<uint8_t> exact(archive.begin(), archive.end());
  std::string content;
  LLMA_TRY(ExtractZipMember(exact, name, max_bytes, [&](Bytes piece) {
    content += AsStringView(piece);
    EXPECT_LE(content.size(), max_bytes);
    return OkStatus();
  }));
  return content;
}

ErrorCode CodeOf(const Archive& archive, uint64_t max_bytes = 1 << 20) {
  const auto content = Extract(archive.bytes, "b", max_bytes);
  return content ? ErrorCode::kInternal : content.error().code;
}

Archive Sample(bool is_deflated = true) {
  return Make({{"a", "other", false},
               {"b", std::string(1000, 'x') + "end", is_deflated}});
}

TEST(ZipReaderTest, StoredAndDeflated) {
  std::string large;
  for (int i = 0; i < 200000; ++i) large += std::to_string(i * 7919);
  const Archive archive = Make({{"folder/stored", large, false},
                                {"folder/deflated", large, true},
                                {"empty", "", false},
                                {"nothing", "", true}},
                               "a comment");
  for (const char* name : {"folder/stored", "folder/deflated"}) {
    const auto content = Extract(archive.bytes, name, large.size());
    ASSERT_TRUE(content) << content.error().what;
    EXPECT_TRUE(*content == large) << name;
  }
  for (const char* name : {"empty", "nothing"}) {
    const auto content = Extract(archive.bytes, name, 0);
    ASSERT_TRUE(content) << content.error().what;
    EXPECT_EQ(*content, "");
  }
  EXPECT_EQ(Extract(archive.bytes, "folder").error().code, ErrorCode::kCorrupt);
}

TEST(ZipReaderTest, EachTruncationIsAnError) {
  const std::string whole = Sample().bytes;
  ASSERT_TRUE(Extract(whole, "b"));
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(Extract(whole.substr(0, size), "b")) << size;
    EXPECT_FALSE(Extract(whole.substr(whole.size() - size), "b")) << size;
  }
}

TEST(ZipReaderTest, ChangedBytesGiveTheContentOrAnError) {
  for (const bool is_deflated : {false, true}) {
    const std::string whole = Sample(is_deflated).bytes;
    const auto right = Extract(whole, "b");
    ASSERT_TRUE(right);
    for (size_t at = 0; at < whole.size(); ++at) {
      for (const int change : {1, 0x80, 0xff}) {
        std::string changed = whole;
        changed[at] = static_cast<char>(changed[at] ^ change);
        const auto content = Extract(changed, "b");
        if (content) {
          EXPECT_EQ(*content, *right) << at;
        }
      }
    }
  }
}

TEST(ZipReaderTest, SizesAndOffsetsThatAreNotTrue) {
  // Of the directory.
  for (const size_t field : {10, 12, 16}) {
    Archive archive = Sample();
    Set(archive.bytes, archive.end + field, field == 10 ? 2 : 4, 0xffff);
    EXPECT_EQ(CodeOf(archive), ErrorCode::kCorrupt) << field;
  }
  Archive in_parts = Sample();
  Set(in_parts.bytes, in_parts.end + 4, 2, 1);
  EXPECT_EQ(CodeOf(in_parts), ErrorCode::kUnsupported);
  // Of an entry: lengths of name, extra field and comment; where it is; how
  // much is packed.
  for (const size_t field : {28, 30, 32, 42, 20}) {
    Archive archive = Sample();
    Set(archive.bytes, archive.entries[1] + field, 2, 0xfff0);
    EXPECT_EQ(CodeOf(archive), ErrorCode::kCorrupt) << field;
  }
  // Of its header.
  for (const size_t field : {26, 28}) {
    Archive archive = Sample();
    Set(archive.bytes, archive.headers[1] + field, 2, 0xfff0);
    EXPECT_EQ(CodeOf(archive), ErrorCode::kCorrupt) << field;
  }
  // The header of another member.
  Archive moved = Sample();
  Set(moved.bytes, moved.entries[1] + 42, 4, moved.headers[0]);
  EXPECT_EQ(CodeOf(moved), ErrorCode::kCorrupt);
}

TEST(ZipReaderTest, MoreOrLessContentThanItSays) {
  for (const bool is_deflated : {false, true}) {
    for (const uint32_t size : {0u, 1002u, 1004u, 100000u}) {
      Archive archive = Sample(is_deflated);
      Set(archive.bytes, archive.entries[1] + 24, 4, size);
      EXPECT_EQ(CodeOf(archive), ErrorCode::kCorrupt) << size;
    }
  }
  // More than is allowed, also where it lies about that.
  EXPECT_EQ(CodeOf(Sample(), 1002), ErrorCode::kLimit);
  Archive bomb = Make({{"b", std::string(1 << 22, 0), true}});
  Set(bomb.bytes, bomb.entries[0] + 24, 4, 1000);
  EXPECT_EQ(CodeOf(bomb, 1000), ErrorCode::kCorrupt);
}

TEST(ZipReaderTest, WhatIsNotRead) {
  Archive encrypted = Sample();
  Set(encrypted.bytes, encrypted.entries[1] + 8, 2, 1);
  EXPECT_EQ(CodeOf(encrypted), ErrorCode::kUnsupported);
  Archive lzma = Sample();
  Set(lzma.bytes, lzma.entries[1] + 10, 2, 14);
  EXPECT_EQ(CodeOf(lzma), ErrorCode::kUnsupported);
  for (const size_t field : {20, 24, 42}) {
    Archive zip64 = Sample();
    Set(zip64.bytes, zip64.entries[1] + field, 4, 0xffffffff);
    EXPECT_EQ(CodeOf(zip64), ErrorCode::kUnsupported) << field;
  }
  EXPECT_EQ(CodeOf(Make({{"b", "1", false}, {"b", "2", false}})),
            ErrorCode::kCorrupt);
  Archive wrong = Sample();
  Set(wrong.bytes, wrong.entries[1] + 16, 4, 1);
  EXPECT_EQ(CodeOf(wrong), ErrorCode::kChecksum);
}

TEST(ZipReaderTest, ErrorsOfTheSinkComeBack) {
  for (const bool is_deflated : {false, true}) {
    const std::string archive = Sample(is_deflated).bytes;
    const Status status =
        ExtractZipMember(AsBytes(archive), "b", 1 << 20, [](Bytes) -> Status {
          return Error{ErrorCode::kIo, "full"};
        });
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().what, "full");
  }
}

}  // namespace
}  // namespace llma::store
