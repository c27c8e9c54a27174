// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/model_choice.h"

#include <gtest/gtest.h>

#include "codec/file/whole_file.h"
#include "codec/frame/context_frame.h"
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

std::vector<uint8_t> Noise(size_t size, std::string_view alphabet = {}) {
  TestRandom random(8);
  std::vector<uint8_t> noise(size);
  for (uint8_t& byte : noise) {
    byte = static_cast<uint8_t>(random.Next());
    if (!alphabet.empty()) {
      byte = static_cast<uint8_t>(alphabet[byte % alphabet.size()]);
    }
  }
  return noise;
}

TEST_F(ModelChoice, SmallNoiseIsStoredWithoutAskingTheModel) {
  for (const size_t size : {512, 1000, 8192, 16383}) {
    const auto noise = Noise(size);
    uint64_t told = 0;
    CompressOptions options;
    options.num_threads = 1;
    // The model would say how far it is.
    options.progress = [&](const CodecProgress& progress) {
      told += progress.done_bytes > 0 && progress.done_bytes < size ? 1 : 0;
      return true;
    };
    const auto file = Compress(noise, model_.get(), options);
    ASSERT_TRUE(file);
    EXPECT_EQ(told, 0u) << size;
    EXPECT_LE(file->size(), size + kMaxStoredHeaderBytes);
  }
}

TEST_F(ModelChoice, NoiseInDigitsAsksNoModel) {
  constexpr std::string_view kBase64 =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (const size_t size : {6000, 40000}) {
    EXPECT_EQ(KindOf(Noise(size, kBase64)), FrameKind::kContexts);
    EXPECT_EQ(KindOf(Noise(size, "0123456789abcdef")), FrameKind::kContexts);
    // As mail has it.
    auto lines = Noise(size, kBase64);
    for (size_t i = 76; i < size; i += 77) lines[i] = '\n';
    EXPECT_EQ(KindOf(lines), FrameKind::kContexts);
  }
}

TEST_F(ModelChoice, SmallTextAsksTheModel) {
  // Words of random letters would be noise; these come again now and then.
  TestRandom random(9);
  std::vector<std::string> words;
  for (int i = 0; i < 500; ++i) {
    std::string word;
    for (uint32_t n = 3 + random.Below(6); n > 0; --n) {
      word += static_cast<char>('a' + random.Below(26));
    }
    words.push_back(word);
  }
  for (const size_t size : {600, 5000}) {
    std::vector<uint8_t> text;
    while (text.size() < size) {
      const std::string& word = words[random.Below(500)];
      text.insert(text.end(), word.begin(), word.end());
      text.push_back(' ');
    }
    const auto light =
        EncodeContextFrame(ContextModels::kLight, text, BestKernels(), {});
    ASSERT_TRUE(light);
    EXPECT_FALSE(IsUnpredictable(text, light->size())) << size;
  }
}

}  // namespace
}  // namespace llma
