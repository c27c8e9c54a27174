// SPDX-License-Identifier: Apache-2.0
#include "codec/reference.h"

#include <gtest/gtest.h>

#include <string>

#include "codec/compress_context.h"
#include "codec/file/salvage.h"
#include "codec/file/whole_file.h"
#include "codec/frame/reference_start.h"
#include "codec/short/compress_short.h"
#include "codec/short/decompress_short.h"
#include "codec/short/short_format.h"
#include "codec/testing/file_test.h"
#include "container/frame_map.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

std::shared_ptr<const Reference> MakeReference(std::string_view text) {
  const Bytes bytes = AsBytes(text);
  auto made = Reference::Create({bytes.begin(), bytes.end()});
  EXPECT_TRUE(made);
  return *std::move(made);
}

class ReferenceTest : public FileTest {
 protected:
  ReferenceTest()
      : text_(Text(1, 700)),
        reference_(MakeReference(text_)),
        content_(text_.substr(100, 900) + Text(2, 60)) {
    how_.reference = reference_;
    restoring_.reference = reference_;
  }

  std::string text_;
  std::shared_ptr<const Reference> reference_;
  std::string content_;
};

TEST_F(ReferenceTest, AllLevelsAndSets) {
  for (const int level : {1, 2, 3, 6, 7, 9}) {
    how_.level = level;
    how_.reference = nullptr;
    const size_t without = Make(content_).size();
    how_.reference = reference_;
    const auto file = Make(content_);
    EXPECT_EQ(Restore(file), content_) << level;
    EXPECT_LT(file.size(), without * 3 / 4) << level;
  }
  how_.level = 6;
  for (const auto models :
       {ContextModels::kNone, ContextModels::kLight, ContextModels::kFull}) {
    how_.context_models = models;
    for (const uint32_t lanes : {1, 3}) {
      how_.num_lanes = lanes;
      EXPECT_EQ(Restore(Make(content_)), content_) << lanes;
    }
  }
}

TEST_F(ReferenceTest, SameBytesForAnyThreadsAndContexts) {
  const auto alone = Make(content_);
  CompressContext kept;
  how_.context = &kept;
  CodecContext kept_too;
  restoring_.context = &kept_too;
  for (const int threads : {3, 1, 2}) {
    how_.num_threads = restoring_.num_threads = threads;
    EXPECT_EQ(Make(content_), alone);
    EXPECT_EQ(Restore(alone), content_);
    // Another size and number of lanes in between, and no reference.
    const std::string other = content_.substr(50, 300);
    EXPECT_EQ(Restore(Make(other)), other);
    how_.reference = nullptr;
    EXPECT_EQ(Restore(Make(content_)), content_);
    how_.reference = reference_;
  }
}

TEST_F(ReferenceTest, FramesRangesAndSalvage) {
  std::string content;
  for (int i = 0; i < 6; ++i) content += content_;
  for (const int level : {1, 2, 6}) {
    how_.level = level;
    how_.num_threads = level == 6 ? 1 : 2;
    how_.frame_bytes = 2000;
    auto file = Make(content);
    EXPECT_EQ(Restore(file), content);
    const RandomAccess access = InMemory(file);
    std::string part;
    const ByteSink add = [&](Bytes bytes) {
      part += AsStringView(bytes);
      return OkStatus();
    };
    ASSERT_TRUE(DecompressRange(access, 3100, 1500, OneModel(model_.get()),
                                restoring_, add));
    EXPECT_EQ(part, content.substr(3100, 1500));
    file[file.size() / 2] ^= 1;
    const SalvageSink sink = {add, [](uint64_t) { return OkStatus(); }};
    const auto report =
        Salvage(access, OneModel(model_.get()), restoring_, sink);
    ASSERT_TRUE(report);
    EXPECT_EQ(report->lost.size(), 1u);
    EXPECT_GE(report->num_restored, 2u);
    EXPECT_EQ(Salvage(access, OneModel(model_.get()), {}, sink).error().code,
              ErrorCode::kReference);
  }
}

TEST_F(ReferenceTest, TheSameTextCostsNextToNothing) {
  const auto long_reference = MakeReference(Text(3, 3000));
  how_.reference = restoring_.reference = long_reference;
  const std::string same(AsStringView(long_reference->text()));
  const std::string moved = Text(4, 20) + same.substr(777) + "!";
  for (const int level : {1, 6}) {
    how_.level = level;
    EXPECT_LT(Make(same).size(), 80u);
    EXPECT_EQ(Restore(Make(same)), same);
    EXPECT_LT(Make(moved).size(), 250u);
    EXPECT_EQ(Restore(Make(moved)), moved);
  }
}

TEST_F(ReferenceTest, IsAskedForByName) {
  const auto file = Make(content_);
  std::string other = text_;
  other[300] ^= 1;
  for (const auto& given :
       {std::shared_ptr<const Reference>(), MakeReference(other),
        MakeReference(text_ + "x"), MakeReference("x")}) {
    restoring_.reference = given;
    const auto content = Decompress(file, model_.get(), restoring_);
    ASSERT_FALSE(content);
    EXPECT_EQ(content.error().code, ErrorCode::kReference);
    EXPECT_NE(content.error().what.find(std::to_string(text_.size()) +
                                        " bytes with XXH3 "),
              std::string::npos);
  }
  restoring_.reference = reference_;
  how_.reference = nullptr;
  EXPECT_EQ(Restore(Make(content_)), content_);  // it is not minded
  EXPECT_FALSE(*Reference::Create({}));
}

TEST_F(ReferenceTest, ShortMessages) {
  const std::string message = text_.substr(400, 40) + Text(8, 4);
  how_.reference = nullptr;
  const auto without = CompressShort(AsBytes(message), *model_, how_);
  how_.reference = reference_;
  const auto with = CompressShort(AsBytes(message), *model_, how_);
  ASSERT_TRUE(without && with);
  EXPECT_LT(with->size(), without->size());
  EXPECT_EQ(Restore(*with), message);
  EXPECT_EQ(DecompressShort(*with, model_.get(), {}).error().code,
            ErrorCode::kReference);
  restoring_.reference = MakeReference("something else");
  EXPECT_EQ(Restore(*with).substr(0, 12), "error: needs");
  restoring_.reference = reference_;
  for (size_t size = 1; size < with->size(); ++size) {
    EXPECT_FALSE(
        DecompressShort(Bytes(*with).first(size), model_.get(), restoring_));
  }
  const auto stored = CompressShort(AsBytes("q"), *model_, how_);
  EXPECT_EQ(AsStringView(*DecompressShort(*stored, nullptr, {})), "q");
}

TEST_F(ReferenceTest, OnlyItsEndIsRead) {
  std::string large = Text(5, 200000);
  ASSERT_GT(large.size(), kMaxReadReferenceBytes);
  const auto reference = MakeReference(large);
  EXPECT_EQ(
      AsStringView(reference->read_part()),
      std::string_view(large).substr(large.size() - kMaxReadReferenceBytes));
  EXPECT_EQ(reference->TableBytes(5), uint64_t{1} << 20);
  EXPECT_EQ(MakeReference("abc")->TableBytes(5), 8u);
  EXPECT_EQ(MakeReference("abc")->TableBytes(6), 16u);
  // Repetitions are found in all of it.
  how_.level = 1;
  how_.reference = restoring_.reference = reference;
  const std::string start = large.substr(300, 5000);
  const auto file = Make(start);
  EXPECT_LT(file.size(), 100u);
  EXPECT_EQ(Restore(file), start);
}

// Beside what its end takes, which is as much for both.
TEST_F(ReferenceTest, BoundsOfMemoryHaveAllOfIt) {
  constexpr uint64_t kBytes = 5 << 20;
  FrameHeader header;
  header.kind = FrameKind::kContexts;
  header.content_bytes = header.payload_bytes = 1000;
  std::vector<uint64_t> compressing, restoring, short_messages;
  for (const uint64_t bytes : {kBytes, 2 * kBytes}) {
    how_.reference = MakeReference(std::string(bytes, 'x'));
    compressing.push_back(CompressMemoryBytes(1000, model_.get(), how_));
    header.reference_id = how_.reference->id();
    restoring.push_back(DecompressMemoryBytes(header, nullptr, 1));
    short_messages.push_back(
        ShortModelsMemoryBytes(model_->config(), 100, how_.reference.get(), 1));
  }
  EXPECT_GE(compressing[1] - compressing[0], kBytes);
  EXPECT_EQ(restoring[1] - restoring[0], kBytes);
  EXPECT_EQ(short_messages[1] - short_messages[0], kBytes);
  // What is enough for a frame is enough for a file.
  std::string content;
  for (int i = 0; i < 4; ++i) content += content_;
  how_.level = 1;
  how_.num_threads = 4;
  how_.frame_bytes = 1000;
  restoring_.reference = how_.reference;
  how_.max_memory_bytes = CompressMemoryBytes(1000, nullptr, how_);
  EXPECT_EQ(Restore(Make(content)), content);
}

TEST_F(ReferenceTest, IsCutIntoTheLongestTokens) {
  const TokenIndex index(model_->tokens());
  const Bytes text = AsBytes(text_);
  size_t ofs = 0;
  for (const TextPiece& piece : CutGreedily(index, text)) {
    size_t longest = 0;
    for (uint32_t row = 0; row < model_->tokens().num_tokens(); ++row) {
      const Bytes spelling = model_->tokens().spelling(row);
      if (spelling.size() <= text.size() - ofs &&
          std::ranges::equal(spelling, text.subspan(ofs, spelling.size()))) {
        longest = std::max(longest, spelling.size());
      }
    }
    EXPECT_EQ(piece.token == TextPiece::kEscape, longest == 0);
    EXPECT_EQ(piece.size_bytes, std::max<size_t>(longest, 1));
    ofs += piece.size_bytes;
  }
  EXPECT_EQ(ofs, text.size());
}

TEST_F(ReferenceTest, CanBeCancelled) {
  how_.progress = [](const CodecProgress&) { return false; };
  EXPECT_EQ(Compress(AsBytes(content_), model_.get(), how_).error().code,
            ErrorCode::kCancelled);
}

}  // namespace
}  // namespace llma
