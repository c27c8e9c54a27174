// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <llma/llma.hpp>
#include <stdexcept>
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

// At any address, whole or not.
TEST(ApiCppTest, AModelInMemoryIsTheModel) {
  std::ifstream in(LLMA_TEST_DATA_DIR "/tiny.llmm", std::ios::binary);
  const std::vector<char> file((std::istreambuf_iterator<char>(in)), {});
  const auto on_disk = llma::Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  ASSERT_TRUE(on_disk);
  std::vector<uint8_t> room(file.size() + 128);
  for (const size_t ofs : {size_t{0}, size_t{1}, size_t{64}}) {
    const size_t skip =
        (64 - reinterpret_cast<uintptr_t>(room.data()) % 64) % 64 + ofs;
    std::copy(file.begin(), file.end(),
              room.begin() + static_cast<ptrdiff_t>(skip));
    const std::span<uint8_t> bytes(room.data() + skip, file.size());
    const auto model = llma::Model::OpenMemory(bytes);
    ASSERT_TRUE(model) << model.error().what;
    EXPECT_STREQ(model->info().path, "");
    EXPECT_TRUE(std::equal(model->info().fingerprint,
                           model->info().fingerprint + 32,
                           on_disk->info().fingerprint));
    // What was copied is no longer the caller's.
    if (ofs == 1) std::fill(bytes.begin(), bytes.end(), uint8_t{0});
    auto options = llma::Options::Create();
    ASSERT_TRUE(options->SetModel(*model));
    const std::vector<uint8_t> content(100, 'x');
    const auto packed = llma::Compress(content, *options);
    ASSERT_TRUE(packed) << packed.error().what;
    ASSERT_TRUE(options->SetModel(*on_disk));
    EXPECT_EQ(*llma::Decompress(*packed, *options), content);
    EXPECT_FALSE(llma::Model::OpenMemory(bytes.first(bytes.size() / 2)));
  }
  EXPECT_FALSE(llma::Model::OpenMemory({}));
}

TEST(ApiCppTest, AMissingModelIsAnErrorWithItsName) {
  const auto model = llma::Model::Open("no/such.llmm");
  ASSERT_FALSE(model);
  EXPECT_NE(model.error().what.find("no/such.llmm"), std::string::npos);
}

// Callbacks that throw: nothing passes the C interface.
TEST(ApiCppTest, WhatCallbacksThrowIsAnError) {
  auto model = llma::Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  ASSERT_TRUE(model);
  const std::vector<uint8_t> content(5000, 'x');
  const auto make = [&] {
    auto options = llma::Options::Create();
    EXPECT_TRUE(options->SetModel(*model));
    EXPECT_TRUE(options->Set(LLMA_OPTION_FRAME_BYTES, 1000));
    return *std::move(options);
  };
  {
    llma::Options options = make();
    ASSERT_TRUE(options.SetProgress(
        [](const llma_progress&) -> bool { throw std::runtime_error("x"); }));
    const auto made = llma::Compress(content, options);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, llma::ErrorCode::kCancelled);
  }
  llma::Options options = make();
  int num_frames = 0;
  ASSERT_TRUE(options.SetOnFrame([&](const llma_frame_info&) {
    ++num_frames;
    throw std::runtime_error("x");
  }));
  auto made = llma::Compress(content, options);
  ASSERT_TRUE(made) << made.error().what;
  EXPECT_EQ(num_frames, 5);
  // Damage in the second frame.
  (*made)[made->size() / 3] ^= 1;
  int num_lost = 0;
  const llma::Sink sink = {
      [](std::span<const uint8_t>) { return llma::OkStatus(); },
      {},
      [&](uint64_t, std::optional<uint64_t>) {
        ++num_lost;
        throw std::runtime_error("x");
      }};
  ASSERT_TRUE(llma::Salvage(llma::MemoryReader(*made), make(), sink));
  EXPECT_GT(num_lost, 0);
  const llma::Reader reader = {
      made->size(), [](uint64_t, std::span<uint8_t>) -> llma::Result<size_t> {
        throw std::runtime_error("x");
      }};
  EXPECT_EQ(llma::ReadFileInfo(reader).error().code,
            llma::ErrorCode::kInternal);
}

}  // namespace
