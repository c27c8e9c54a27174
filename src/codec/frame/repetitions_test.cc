// SPDX-License-Identifier: Apache-2.0
#include "codec/frame/repetitions.h"

#include <gtest/gtest.h>

#include <string>

namespace llma {
namespace {

using List = std::vector<Repetition>;

std::string PutBackInto(const List& list, std::string_view predicted) {
  const auto content =
      PutBack(list, {AsBytes(predicted).begin(), AsBytes(predicted).end()});
  return content ? std::string(AsStringView(*content)) : "error";
}

std::vector<uint8_t> Encode(const List& list) {
  BinaryEncoder coder;
  EncodeRepetitions(list, coder);
  return std::move(coder).Finish();
}

TEST(Repetitions, AreLeftOutAndPutBack) {
  const List list = {{3, 5, 3}, {1, 4, 1}, {0, 3, 9}};
  const std::string content = "abcabcabxxxxxbcabyz";
  EXPECT_EQ(AsStringView(LeaveOut(list, AsBytes(content))), "abcxbyz");
  EXPECT_EQ(PutBackInto(list, "abcxbyz"), content);
  EXPECT_EQ(PutBackInto({}, content), content);
}

TEST(Repetitions, ThatDoNotFitAreErrors) {
  EXPECT_EQ(PutBackInto({{1, 4, 1}}, "a"), "aaaaa");
  EXPECT_EQ(PutBackInto({{2, 4, 1}}, "a"), "error");
  EXPECT_EQ(PutBackInto({{1, 4, 2}}, "a"), "error");
  EXPECT_EQ(PutBackInto({{0, 4, 1}}, "a"), "error");
  EXPECT_EQ(PutBackInto({{~uint64_t{0}, 4, 1}}, "a"), "error");
  EXPECT_EQ(PutBackInto({{1, 4, ~uint64_t{0}}}, "a"), "error");
}

TEST(Repetitions, ListsRoundTrip) {
  List list = {{0, kMinRepetitionBytes, 1}, {1, 33, 2}};
  for (int i = 1; i < 31; ++i) {
    const uint64_t big = uint64_t{1} << i;
    list.push_back({big, kMinRepetitionBytes + big - 1, big});
    list.push_back({big - 1, kMinRepetitionBytes + big, big + 1});
  }
  uint64_t sum = 0;
  for (const Repetition& r : list) sum += r.size_bytes;
  const auto code = Encode(list);
  BinaryDecoder coder(code);
  const auto decoded = DecodeRepetitions(sum, coder);
  ASSERT_TRUE(decoded) << decoded.error().what;
  EXPECT_EQ(*decoded, list);
  EXPECT_TRUE(coder.IsAtCanonicalEnd());
  BinaryDecoder again(code);
  EXPECT_EQ(DecodeRepetitions(sum - 1, again).error().code,
            ErrorCode::kCorrupt);
  BinaryDecoder half(Bytes(code).first(code.size() / 2));
  EXPECT_FALSE(DecodeRepetitions(sum, half));
}

TEST(Repetitions, NoListHasNoCode) {
  EXPECT_TRUE(Encode({}).empty());
  BinaryDecoder coder(Bytes{});
  EXPECT_TRUE(DecodeRepetitions(0, coder)->empty());
}

}  // namespace
}  // namespace llma
