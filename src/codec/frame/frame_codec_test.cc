// SPDX-License-Identifier: Apache-2.0
// Frames on the tiny model: round trips, and the same code for every thread
// count and kernel set. Runs without a tokenizer, so on every architecture.

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>

#include "base/checksum.h"
#include "codec/callbacks.h"
#include "codec/frame/context_frame.h"
#include "codec/frame/frame_decoder.h"
#include "codec/frame/frame_encoder.h"
#include "codec/testing/longest_pieces.h"
#include "engine/cpu_engine.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

class FrameCodecTest : public testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(model) << model.error().what;
    model_ = *std::move(model);
  }

  std::vector<uint8_t> Encode(const std::string& content, uint32_t lanes,
                              uint32_t window, const char* kernels = "",
                              int threads = 1) {
    const auto pieces = LongestPieces(model_->tokens(), AsBytes(content));
    lane_bytes_ = SplitIntoLanes(pieces, lanes);
    ThreadPool pool(threads);
    CpuEngine engine(*model_, **FindKernels(kernels));
    auto code = EncodeFrame({engine, **FindKernels(kernels), pool, window,
                             context_models_, progress_},
                            AsBytes(content), pieces, lane_bytes_);
    EXPECT_TRUE(code) << code.error().what;
    return code ? *std::move(code) : std::vector<uint8_t>();
  }
  Result<std::vector<uint8_t>> Decode(Bytes code, uint32_t window,
                                      const char* kernels = "",
                                      int threads = 1) {
    ThreadPool pool(threads);
    CpuEngine engine(*model_, **FindKernels(kernels));
    return DecodeFrame({engine, **FindKernels(kernels), pool, window,
                        context_models_, progress_},
                       BinaryDecoder(code), lane_bytes_);
  }
  void ExpectRoundTrip(const std::string& content, uint32_t lanes,
                       uint32_t window) {
    const auto code = Encode(content, lanes, window);
    const auto back = Decode(code, window);
    ASSERT_TRUE(back) << back.error().what;
    EXPECT_EQ(AsStringView(*back), content)
        << lanes << " lanes, window " << window;
  }

  std::unique_ptr<Model> model_;
  std::vector<uint64_t> lane_bytes_;
  ContextModels context_models_ = ContextModels::kFull;
  ProgressCallback progress_;
};

// What makes tests slow takes a part of some contents.
constexpr size_t kPart = LLMA_IS_SLOW ? 4 : 1;

std::string Text(size_t size) {
  std::string text;
  const char* words[] = {"the ", "other ", "being ", "there, ", "and\n", "in "};
  TestRandom random(1);
  while (text.size() < size) text += words[random.Below(6)];
  text.resize(size);
  return text;
}

std::string Noise(size_t size) {
  std::string noise;
  TestRandom random(2);
  while (noise.size() < size) noise += static_cast<char>(random.Below(256));
  return noise;
}

TEST_F(FrameCodecTest, RoundTrips) {
  std::string all_bytes;
  for (int i = 0; i < 256; ++i) all_bytes += static_cast<char>(i);
  for (const std::string& content :
       {std::string("x"), std::string("\xff"), std::string("the"),
        Text(700 / kPart), Noise(300 / kPart), all_bytes,
        std::string(500 / kPart, '\0')}) {
    for (const uint32_t lanes : {1u, 3u, 64u}) {
      for (const ContextModels models :
           {ContextModels::kNone, ContextModels::kLight,
            ContextModels::kFull}) {
        context_models_ = models;
        ExpectRoundTrip(content, lanes, 32);
      }
    }
  }
  ExpectRoundTrip(Text(2000), 5, 16);
  ExpectRoundTrip(Text(2000), 1, 2048);
}

// A single lane guesses its next tokens; here it is right for long, then wrong,
// also across the end of the window.
TEST_F(FrameCodecTest, RightAndWrongGuessesGiveTheSameContent) {
  std::string content;
  for (int i = 0; i < 40; ++i) {
    content += "the same words, again and again" + std::string(i % 7, 'a');
    if (i % 5 == 0) content += std::to_string(i * 37);
  }
  for (const uint32_t window : {16u, 32u, 256u}) {
    ExpectRoundTrip(content, 1, window);
  }
}

TEST_F(FrameCodecTest, ThreadsAndKernelsGiveTheSameCode) {
  const std::string content = Text(400 / kPart) + Noise(40) + Text(200 / kPart);
  const auto expected = Encode(content, 3, 48, "scalar");
  for (const KernelTable* table : AllKernels()) {
    if (!table->is_supported()) continue;
    for (const int threads : {1, 2, 7}) {
      EXPECT_EQ(Encode(content, 3, 48, table->name, threads), expected)
          << table->name << ", " << threads << " threads";
      const auto back = Decode(expected, 48, table->name, threads);
      ASSERT_TRUE(back) << back.error().what;
      EXPECT_EQ(AsStringView(*back), content);
    }
  }
}

// The same bytes on every machine: any difference in the numerics shows here.
TEST_F(FrameCodecTest, Golden) {
  const auto code = Encode(Text(900) + Noise(30), 4, 64);
  EXPECT_EQ(Xxh3(code), 3138020912179806356u) << code.size();
}

// Context models see the tokens' repetitions, which the tiny model does not.
TEST_F(FrameCodecTest, ContextModelsHelp) {
  const std::string content = Text(3000);
  context_models_ = ContextModels::kNone;
  const size_t alone = Encode(content, 1, 64).size();
  for (const ContextModels models :
       {ContextModels::kLight, ContextModels::kFull}) {
    context_models_ = models;
    EXPECT_LT(Encode(content, 1, 64).size(), alone * 3 / 4);
  }
}

TEST_F(FrameCodecTest, ContextModelsAlone) {
  for (const std::string& content : {std::string("x"), Text(1000), Noise(300),
                                     std::string(5000 / kPart, '\0')}) {
    for (const ContextModels models :
         {ContextModels::kLight, ContextModels::kFull}) {
      auto code = EncodeContextFrame(models, AsBytes(content), BestKernels(),
                                     progress_);
      ASSERT_TRUE(code);
      const auto back =
          DecodeContextFrame(models, BinaryDecoder(*code), content.size(),
                             BestKernels(), progress_);
      ASSERT_TRUE(back) << back.error().what;
      EXPECT_EQ(AsStringView(*back), content);
      if (code->size() < 100) continue;
      code->resize(code->size() / 2);
      EXPECT_FALSE(DecodeContextFrame(models, BinaryDecoder(*code),
                                      content.size(), BestKernels(),
                                      progress_));
    }
  }
  const auto code = EncodeContextFrame(ContextModels::kFull, AsBytes(Text(900)),
                                       BestKernels(), progress_);
  EXPECT_EQ(Xxh3(*code), 5718733681283759602u) << code->size();
}

// Calls of the context models' kernels, by mixer.
struct MixerCalls {
  int full, wide, light;
};
MixerCalls calls;

KernelTable CountingKernels() {
  KernelTable table = **FindKernels("scalar");
  table.mixer_dot = [](const int16_t* x, int n, const int32_t* const* rows,
                       int num_rows, int32_t* sums) {
    ++calls.full;
    reference::MixerDot(x, n, rows, num_rows, sums);
  };
  table.wide_mixer_dot = [](const int32_t* x, const int32_t* w, size_t n) {
    ++calls.wide;
    return reference::WideMixerDot(x, w, n);
  };
  table.light_mixer_dot = [](const int16_t* x, const int32_t* const* rows) {
    ++calls.light;
    return reference::LightMixerDot(x, rows);
  };
  return table;
}

// The table that is chosen, and no other.
TEST_F(FrameCodecTest, ContextModelsUseTheGivenKernels) {
  const KernelTable kernels = CountingKernels();
  const std::string content = Text(100);
  const auto code_alone = [&](ContextModels models) {
    const auto code =
        EncodeContextFrame(models, AsBytes(content), kernels, progress_);
    const auto back = DecodeContextFrame(models, BinaryDecoder(*code),
                                         content.size(), kernels, progress_);
    EXPECT_EQ(AsStringView(*back), content);
  };
  // Each direction predicts each bit.
  const int num_bits = 2 * 8 * static_cast<int>(content.size());
  calls = {};
  code_alone(ContextModels::kLight);
  EXPECT_GE(calls.light, num_bits);
  EXPECT_EQ(calls.full + calls.wide, 0);
  calls = {};
  code_alone(ContextModels::kFull);
  EXPECT_GE(calls.full, 2 * num_bits);  // two layers
  EXPECT_EQ(calls.wide + calls.light, 0);

  ThreadPool pool(1);
  CpuEngine engine(*model_, kernels);
  const FrameContext context = {engine, kernels,         pool,
                                32,     context_models_, progress_};
  const auto pieces = LongestPieces(model_->tokens(), AsBytes(content));
  const uint64_t lane_bytes = content.size();
  calls = {};
  const auto code =
      EncodeFrame(context, AsBytes(content), pieces, {&lane_bytes, 1});
  EXPECT_GE(calls.full, num_bits / 2);
  EXPECT_GE(calls.wide, num_bits / 2);
  const MixerCalls there = calls;
  EXPECT_TRUE(DecodeFrame(context, BinaryDecoder(*code), {&lane_bytes, 1}));
  EXPECT_EQ(calls.full, 2 * there.full);
  EXPECT_EQ(calls.wide, 2 * there.wide);
}

TEST_F(FrameCodecTest, LanesCoverTheContent) {
  std::vector<TextPiece> pieces(10, {0, 3});
  for (const uint32_t lanes : {1u, 3u, 10u, 64u}) {
    const auto bytes = SplitIntoLanes(pieces, lanes);
    EXPECT_EQ(bytes.size(), std::min(lanes, 10u));
    uint64_t sum = 0;
    for (const uint64_t b : bytes) {
      EXPECT_GT(b, 0u);
      sum += b;
    }
    EXPECT_EQ(sum, 30u);
  }
}

TEST_F(FrameCodecTest, ShortCodesAreErrors) {
  auto code = Encode(Text(3000), 2, 32);
  code.resize(code.size() / 2);
  const auto back = Decode(code, 32);
  ASSERT_FALSE(back);
  EXPECT_TRUE(back.error().code == ErrorCode::kTruncated ||
              back.error().code == ErrorCode::kCorrupt);
}

TEST_F(FrameCodecTest, ProgressCanCancel) {
  const auto code = Encode(Text(3000), 1, 32);
  progress_ = [](const CodecProgress&) { return false; };
  EXPECT_FALSE(Decode(code, 32));
}

}  // namespace
}  // namespace llma
