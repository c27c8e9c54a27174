// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/model_contest.h"

#include <set>

#include "codec/file/file_decoder.h"
#include "codec/file/file_encoder.h"
#include "codec/testing/second_tiny_model.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

TEST(BestTrial, ADearerModelMustPayByLevel) {
  // Twice the work must save 8 % at level 3, and nothing at level 9.
  const ModelTrial cheap = {1000, 100};
  EXPECT_EQ(BestTrial(std::vector<ModelTrial>{cheap, {950, 200}}, 3), 0u);
  EXPECT_EQ(BestTrial(std::vector<ModelTrial>{cheap, {920, 200}}, 3), 1u);
  EXPECT_EQ(BestTrial(std::vector<ModelTrial>{cheap, {950, 200}}, 6), 1u);
  EXPECT_EQ(BestTrial(std::vector<ModelTrial>{cheap, {950, 400}}, 6), 0u);
  EXPECT_EQ(BestTrial(std::vector<ModelTrial>{cheap, {999, 400}}, 9), 1u);
}

TEST(BestTrial, OfEqualOnesTheFirst) {
  EXPECT_EQ(BestTrial(std::vector<ModelTrial>{{10, 5}, {10, 5}}, 6), 0u);
  EXPECT_EQ(BestTrial(std::vector<ModelTrial>{{0, 0}, {0, 0}}, 6), 0u);
}

class ModelContest : public testing::Test {
 protected:
  ModelContest()
      : first_(OpenTinyModel()),
        second_file_(SecondTinyModelFile()),
        second_(*Model::FromBytes({second_file_.data(), second_file_.size()})) {
    options_.level = kBestLevel;
    options_.num_threads = 1;
    options_.window_positions = 64;
    options_.context_models = ContextModels::kNone;
  }

  // Text of which a model may predict the start better.
  static std::vector<uint8_t> Text(uint64_t seed, size_t num_words) {
    constexpr const char* kWords[] = {" everyone", " working", " belonged",
                                      " saying",   " return",  " became"};
    TestRandom random(seed);
    std::vector<uint8_t> text;
    for (size_t i = 0; i < num_words; ++i) {
      for (const char c : std::string_view(kWords[random.Below(6)])) {
        text.push_back(static_cast<uint8_t>(c));
      }
    }
    return text;
  }

  const Model* ModelOf(const CompressedFrame& frame) {
    EXPECT_EQ(frame.header.kind, FrameKind::kCoded);
    return *Provider()(frame.header.model_id);
  }

  ModelProvider Provider() {
    return [this](const ModelId& id) -> Result<const Model*> {
      for (const Model* model : {first_.get(), second_.get()}) {
        if (std::equal(id.begin(), id.end(), model->fingerprint().begin())) {
          return model;
        }
      }
      return Error{ErrorCode::kModelMissing, "no such model"};
    };
  }

  std::unique_ptr<Model> first_;
  AlignedBuffer<uint8_t> second_file_;
  std::unique_ptr<Model> second_;
  CompressOptions options_;
};

TEST_F(ModelContest, TheSmallerResultWins) {
  int wins[2] = {};
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const auto text = Text(seed, 3);
    options_.other_models.clear();
    const size_t sizes[] = {
        CompressFrame(text, true, first_.get(), options_)->size_bytes(),
        CompressFrame(text, true, second_.get(), options_)->size_bytes()};
    options_.other_models = {second_.get()};
    const auto frame = CompressFrame(text, true, first_.get(), options_);
    ASSERT_TRUE(frame);
    EXPECT_EQ(frame->size_bytes(), std::min(sizes[0], sizes[1]));
    if (sizes[0] == sizes[1]) {
      EXPECT_EQ(ModelOf(*frame), first_.get());
    } else {
      ++wins[sizes[1] < sizes[0] ? 1 : 0];
    }
  }
  EXPECT_GT(wins[0], 0);
  EXPECT_GT(wins[1], 0);
}

TEST_F(ModelContest, WhatNeedsTooMuchMemoryIsLeftOut) {
  // Of many equal models all fit or none does.
  const auto text = Text(1, 3);
  options_.other_models = {second_.get()};
  options_.max_memory_bytes =
      CompressMemoryBytes(text.size(), first_.get(), options_);
  EXPECT_TRUE(CompressFrame(text, true, first_.get(), options_));
  --options_.max_memory_bytes;
  const auto failed = CompressFrame(text, true, first_.get(), options_);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::kLimit);
}

TEST_F(ModelContest, SamplesOfLargeContents) {
  options_.other_models = {second_.get()};
  options_.level = kDefaultLevel;
  const auto text = Text(3, 800);
  ASSERT_GT(text.size(), 4096u);
  const auto frame = CompressFrame(text, true, first_.get(), options_);
  ASSERT_TRUE(frame);
  const auto content =
      DecompressFrame(frame->header, frame->code, ModelOf(*frame), {});
  ASSERT_TRUE(content);
  EXPECT_EQ(*content, text);
}

TEST_F(ModelContest, FramesOfDifferentModelsMakeAFile) {
  std::vector<uint8_t> content, file, decoded;
  std::set<const Model*> used;
  options_.other_models = {second_.get()};
  const auto append_to = [](std::vector<uint8_t>& to) {
    return [&to](Bytes bytes) {
      to.insert(to.end(), bytes.begin(), bytes.end());
      return OkStatus();
    };
  };
  options_.on_frame = [&](const FrameHeader& header, uint64_t) {
    used.insert(*Provider()(header.model_id));
  };
  FileEncoder encoder(first_.get(), options_, append_to(file));
  for (uint64_t seed = 0; seed < 12; ++seed) {
    const auto text = Text(seed, 3);
    content.insert(content.end(), text.begin(), text.end());
    ASSERT_TRUE(encoder.Append(text));
    ASSERT_TRUE(encoder.Flush());
  }
  ASSERT_TRUE(encoder.Finish());
  EXPECT_EQ(used.size(), 2u);
  FileDecoder decoder(Provider(), {}, append_to(decoded));
  ASSERT_TRUE(decoder.Append(file));
  ASSERT_TRUE(decoder.Finish());
  EXPECT_EQ(decoded, content);
}

}  // namespace
}  // namespace llma
