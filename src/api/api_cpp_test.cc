// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <llma/llma.hpp>
#include <string_view>

namespace {

TEST(ApiCppTest, StreamsAndBuffersRoundTrip) {
  auto model = llma::Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  ASSERT_TRUE(model) << model.error().what;
  auto options = llma::Options::Create();
  ASSERT_TRUE(options);
  ASSERT_TRUE(options->SetModel(*model));
  ASSERT_TRUE(options->Set(LLMA_OPTION_THREADS, 1));
  EXPECT_EQ(options->Set(LLMA_OPTION_LEVEL, 10).error().code,
            llma::ErrorCode::kUsage);
  const std::string_view text = "a text, a text, and the same text again";
  const std::vector<uint8_t> content(text.begin(), text.end());
  std::vector<uint8_t> out;
  const auto sink = [&](std::span<const uint8_t> bytes) {
    out.insert(out.end(), bytes.begin(), bytes.end());
    return llma::OkStatus();
  };
  auto encoder = llma::Encoder::Create(*options);
  ASSERT_TRUE(encoder);
  ASSERT_TRUE(encoder->Append(content, sink));
  ASSERT_TRUE(encoder->Finish(sink));
  const auto whole = llma::Compress(content, *options);
  ASSERT_TRUE(whole);
  EXPECT_EQ(out, *whole);
  EXPECT_EQ(*llma::Decompress(*whole, *options), content);
  auto decoder = llma::Decoder::Create(*options);
  ASSERT_TRUE(decoder);
  out.clear();
  ASSERT_TRUE(decoder->Append(*whole, sink));
  ASSERT_TRUE(decoder->Finish(sink));
  EXPECT_EQ(out, content);
  EXPECT_FALSE(llma::Decompress(content, *options));
}

TEST(ApiCppTest, AMissingModelIsAnErrorWithItsName) {
  const auto model = llma::Model::Open("no/such.llmm");
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().what.find("no/such.llmm"), std::string::npos);
}

}  // namespace
