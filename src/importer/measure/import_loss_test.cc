// SPDX-License-Identifier: Apache-2.0
#include "importer/measure/import_loss.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>

#include "importer/testing/architecture_variations.h"
#include "platform/output_file.h"

namespace llma {
namespace {

constexpr std::string_view kText =
    "The people who had been waiting on the stones went down to the water; 27 "
    "of them said: nothing.";

Result<ImportLoss> Measure(const std::vector<uint8_t>& gguf, Bytes text,
                           uint32_t max_tokens) {
  const std::string path =
      testing::TempDir() + "llma_loss_" + std::to_string(::getpid()) + ".gguf";
  {
    auto file = OutputFile::Create(path, {.overwrite = true});
    EXPECT_TRUE(file && file->Write(gguf) && file->Commit());
  }
  auto loss = MeasureImportLoss(path, "", text, max_tokens, 2);
  std::filesystem::remove(path);
  return loss;
}

// A few hundredths of bits of a token that costs twelve: the tiny models have
// random weights.
TEST(ImportLossTest, IsSmallForEveryArchitecture) {
  for (const char* name :
       {"llama", "qwen2", "qwen3", "granite", "gemma2", "gemma3"}) {
    const auto gguf = VariationMaker(name).editor.Encode();
    const auto loss = Measure(gguf, AsBytes(kText), 30);
    ASSERT_TRUE(loss) << name << ": " << loss.error().what;
    EXPECT_EQ(loss->num_tokens, 30u);
    EXPECT_LT(loss->num_bytes, kText.size());
    EXPECT_GT(loss->float_bits, 200) << name;
    EXPECT_NEAR(loss->exact_bits / loss->float_bits, 1, 0.02) << name;
    EXPECT_NE(loss->exact_bits, loss->float_bits) << name;
  }
}

TEST(ImportLossTest, WithoutASource) {
  const auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  ASSERT_TRUE(model);
  const auto cost = MeasureModelBits(**model, AsBytes(kText), 30, 1);
  const auto loss = MeasureImportLoss(LLMA_TEST_DATA_DIR "/tiny.gguf", "",
                                      AsBytes(kText), 30, 2);
  ASSERT_TRUE(cost && loss);
  EXPECT_EQ(cost->exact_bits, loss->exact_bits);
  EXPECT_EQ(cost->num_bytes, loss->num_bytes);
  EXPECT_LT(cost->float_bits, 0);
  EXPECT_EQ(MeasureModelBits(**model, AsBytes(kText), 0, 1).error().code,
            ErrorCode::kUsage);
}

TEST(ImportLossTest, ShortTexts) {
  const auto gguf = VariationMaker("llama").editor.Encode();
  const auto loss = Measure(gguf, AsBytes("a"), 1000);
  ASSERT_TRUE(loss) << loss.error().what;
  EXPECT_EQ(loss->num_tokens, 1u);
  EXPECT_EQ(Measure(gguf, {}, 1000).error().code, ErrorCode::kUsage);
}

}  // namespace
}  // namespace llma
