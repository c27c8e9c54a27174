// SPDX-License-Identifier: Apache-2.0
#include "codec/model_choice.h"

#include <gtest/gtest.h>

#include "codec/codec.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

class ModelChoice : public testing::Test {
 protected:
  ModelChoice() {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    EXPECT_TRUE(model);
    model_ = *std::move(model);
  }

  // How the default level codes content.
  FrameKind KindOf(const std::vector<uint8_t>& content) {
    CompressOptions options;
    options.num_threads = 1;
    options.window_positions = 64;
    const auto file = Compress(content, model_.get(), options);
    EXPECT_TRUE(file);
    EXPECT_LE(file->size(), content.size() + 64);
    const auto restored = Decompress(*file, model_.get(), {});
    EXPECT_TRUE(restored && *restored == content);
    ByteReader reader(*file);
    return ParseFrameHeader(reader)->kind;
  }

  std::unique_ptr<Model> model_;
};

TEST_F(ModelChoice, NearlyRunsNeedNoModel) {
  std::vector<uint8_t> content(300000, 0);
  for (size_t i = 1; i * 1900 < content.size(); ++i) {
    content[i * 1900] = static_cast<uint8_t>(i);
  }
  EXPECT_EQ(KindOf(content), FrameKind::kContexts);
}

TEST_F(ModelChoice, RandomBytesAreStoredWithoutAskingTheModel) {
  TestRandom random(7);
  std::vector<uint8_t> noise(100000);
  for (uint8_t& byte : noise) byte = static_cast<uint8_t>(random.Next());
  EXPECT_EQ(KindOf(noise), FrameKind::kStored);
}

TEST_F(ModelChoice, SmallContentAlwaysAsksTheModel) {
  EXPECT_EQ(KindOf(std::vector<uint8_t>(1000, 'a')), FrameKind::kCoded);
}

}  // namespace
}  // namespace llma
