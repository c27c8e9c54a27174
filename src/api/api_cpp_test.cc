// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <fstream>
#include <iterator>
#include <llma/llma.hpp>
#include <memory>
#include <stdexcept>
#include <string_view>
#include <thread>

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

// The file that is made of frames which encoders of their own made.
llma::Result<std::vector<uint8_t>> CompressApart(
    std::span<const uint8_t> content, size_t step_bytes,
    const llma::Options& options, const llma::Options& frame_options) {
  LLMA_ASSIGN(auto cutter, llma::Cutter::Create(options));
  std::vector<uint64_t> sizes;
  for (size_t ofs = 0; ofs < content.size(); ofs += step_bytes) {
    LLMA_ASSIGN(const auto more,
                cutter.Append(content.subspan(
                    ofs, std::min(step_bytes, content.size() - ofs))));
    sizes.insert(sizes.end(), more.begin(), more.end());
  }
  LLMA_ASSIGN(const auto rest, cutter.Finish());
  sizes.insert(sizes.end(), rest.begin(), rest.end());
  std::vector<uint8_t> file;
  const auto append_to = [](std::vector<uint8_t>& buffer) {
    return [&buffer](std::span<const uint8_t> bytes) {
      buffer.insert(buffer.end(), bytes.begin(), bytes.end());
      return llma::OkStatus();
    };
  };
  LLMA_ASSIGN(auto joiner, llma::Encoder::Create(options));
  for (const uint64_t size : sizes) {
    LLMA_ASSIGN(auto encoder, llma::Encoder::Create(frame_options));
    std::vector<uint8_t> frame;
    LLMA_TRY(encoder.Append(content.first(size), append_to(frame)));
    LLMA_TRY(sizes.size() == 1 ? encoder.Finish(append_to(frame))
                               : encoder.Flush(append_to(frame)));
    content = content.subspan(size);
    LLMA_TRY(joiner.AddFrames(frame, append_to(file)));
  }
  EXPECT_TRUE(content.empty());
  LLMA_TRY(joiner.Finish(append_to(file)));
  EXPECT_EQ(joiner.totals().file_bytes, file.size());
  return file;
}

// Text, then what is none, then repetitions.
std::vector<uint8_t> MixedContent(size_t text_bytes, size_t other_bytes,
                                  size_t repeated_bytes) {
  std::vector<uint8_t> content;
  uint32_t state = 1;
  const auto next = [&] {
    return (state = state * 1664525 + 1013904223) >> 24;
  };
  while (content.size() < text_bytes) {
    content.push_back(static_cast<uint8_t>('a' + next() % 20));
  }
  while (content.size() < text_bytes + other_bytes) {
    content.push_back(static_cast<uint8_t>(next()));
  }
  while (content.size() < text_bytes + other_bytes + repeated_bytes) {
    content.push_back(static_cast<uint8_t>('a' + content.size() % 7));
  }
  return content;
}

struct ApartCase {
  uint64_t level, frame_bytes, quick_start, checksums, embed_models;
  size_t text_bytes, other_bytes, repeated_bytes;
};

TEST(ApiCppTest, FramesMadeApartAreTheSameFile) {
  const auto model = llma::Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
  ASSERT_TRUE(model);
  llma::SourceInfo source;
  source.name = "notes.txt";
  for (const ApartCase& one : {
           ApartCase{1, 0, 0, 1, 0, 5000, 0, 0},      // one frame
           ApartCase{6, 0, 0, 1, 1, 1500, 0, 0},      // with its model
           ApartCase{1, 0, 0, 1, 0, 0, 0, 0},         // nothing
           ApartCase{1, 4096, 0, 1, 0, 40960, 0, 0},  // whole frames
           ApartCase{2, 4096, 0, 0, 0, 8193, 0, 0},   // a frame of one byte
           ApartCase{6, 4096, 0, 1, 1, 5000, 0, 0},
           ApartCase{6, 0, 1, 1, 0, 0, 0, 100000},      // frames that grow
           ApartCase{5, 0, 0, 1, 0, 0, 70000, 70000},   // cut at another kind
           ApartCase{5, 0, 0, 1, 0, 10, 100, 5 << 20},  // frames that grow
       }) {
    SCOPED_TRACE(testing::Message()
                 << one.level << " " << one.frame_bytes << " "
                 << one.quick_start << " " << one.text_bytes);
    auto options = llma::Options::Create(),
         frame_options = llma::Options::Create();
    ASSERT_TRUE(options && frame_options);
    for (llma::Options* how : {&*options, &*frame_options}) {
      ASSERT_TRUE(how->SetModel(*model));
      ASSERT_TRUE(how->Set(LLMA_OPTION_LEVEL, one.level));
      ASSERT_TRUE(how->Set(LLMA_OPTION_WINDOW, 64));
      ASSERT_TRUE(how->Set(LLMA_OPTION_FRAME_BYTES, one.frame_bytes));
      ASSERT_TRUE(how->Set(LLMA_OPTION_CHECKSUMS, one.checksums));
    }
    ASSERT_TRUE(options->Set(LLMA_OPTION_QUICK_START, one.quick_start));
    ASSERT_TRUE(options->Set(LLMA_OPTION_EMBED_MODELS, one.embed_models));
    ASSERT_TRUE(options->SetSourceInfo(source));
    const auto content =
        MixedContent(one.text_bytes, one.other_bytes, one.repeated_bytes);
    std::vector<uint8_t> whole;
    const auto sink = [&](std::span<const uint8_t> bytes) {
      whole.insert(whole.end(), bytes.begin(), bytes.end());
      return llma::OkStatus();
    };
    auto encoder = llma::Encoder::Create(*options);
    ASSERT_TRUE(encoder);
    ASSERT_TRUE(encoder->Append(content, sink));
    ASSERT_TRUE(encoder->Finish(sink));
    for (const size_t step : {size_t{777}, size_t{1} << 30}) {
      const auto apart = CompressApart(content, step, *options, *frame_options);
      ASSERT_TRUE(apart) << apart.error().what;
      EXPECT_TRUE(*apart == whole);
    }
  }
}

TEST(ApiCppTest, FramesThatDoNotBelongTogetherAreAnError) {
  auto options = llma::Options::Create();
  ASSERT_TRUE(options);
  ASSERT_TRUE(options->Set(LLMA_OPTION_LEVEL, 1));
  const std::vector<uint8_t> content(100, 'a');
  const auto drop = [](std::span<const uint8_t>) { return llma::OkStatus(); };
  // A whole file, with an index or without one.
  const auto single = llma::Compress(content, *options);
  ASSERT_TRUE(single);
  const auto with = [&](std::span<const uint8_t> frames, int times) {
    auto joiner = llma::Encoder::Create(*options);
    llma::Status status = llma::OkStatus();
    for (int i = 0; i < times && status; ++i) {
      status = joiner->AddFrames(frames, drop);
    }
    // Errors are final.
    const llma::Status finished = joiner->Finish(drop);
    EXPECT_TRUE(status || !finished);
    return status ? finished : status;
  };
  EXPECT_TRUE(with(*single, 1));
  EXPECT_EQ(with(*single, 2).error().code, llma::ErrorCode::kUsage);
  EXPECT_EQ(with(std::span(*single).first(single->size() - 1), 1).error().code,
            llma::ErrorCode::kTruncated);
  EXPECT_EQ(with(content, 1).error().code, llma::ErrorCode::kBadMagic);
  ASSERT_TRUE(options->Set(LLMA_OPTION_FRAME_BYTES, 4096));
  const auto several =
      llma::Compress(std::vector<uint8_t>(5000, 'a'), *options);
  ASSERT_TRUE(several);
  EXPECT_EQ(with(*several, 1).error().code, llma::ErrorCode::kUsage);
  auto joiner = llma::Encoder::Create(*options);
  ASSERT_TRUE(joiner->AddFrames(*single, drop));
  EXPECT_FALSE(joiner->Append(content, drop));
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

// Slow to go, so that a call that comes too late meets it.
struct Watched {
  explicit Watched(std::atomic<bool>& going) : is_going(going) {}
  ~Watched() {
    is_going = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(400));
  }
  std::atomic<bool>& is_going;
};

TEST(ApiCppTest, WhatAStreamWasEndsBeforeItsCallbacksGo) {
  std::atomic<bool> is_going = false;
  std::atomic<int> num_calls = 0, num_late = 0;
  const auto make = [&](std::shared_ptr<Watched> watched) {
    auto options = llma::Options::Create();
    EXPECT_TRUE(options->Set(LLMA_OPTION_LEVEL, 2));
    EXPECT_TRUE(options->Set(LLMA_OPTION_THREADS, 2));
    EXPECT_TRUE(options->Set(LLMA_OPTION_FRAME_BYTES, 1 << 18));
    EXPECT_TRUE(options->SetProgress([&, watched](const llma_progress&) {
      ++num_calls;
      num_late += is_going ? 1 : 0;
      return true;
    }));
    return *llma::Encoder::Create(*options);
  };
  auto encoder = make(std::make_shared<Watched>(is_going));
  std::vector<uint8_t> content(1 << 20);
  for (size_t i = 0; i < content.size(); ++i) {
    content[i] = static_cast<uint8_t>(i * i >> 7);
  }
  const auto sink = [](std::span<const uint8_t>) { return llma::OkStatus(); };
  ASSERT_TRUE(encoder.Append(content, sink));
  encoder = make(nullptr);
  EXPECT_TRUE(is_going);
  EXPECT_GT(num_calls, 0);
  EXPECT_EQ(num_late, 0);
  EXPECT_TRUE(encoder.Append(std::span(content).first(100), sink));
  EXPECT_TRUE(encoder.Finish(sink));
}

// Where less is read than there should be, the file ends.
TEST(ApiCppTest, SalvageEndsWhereTheFileDoes) {
  auto options = llma::Options::Create();
  ASSERT_TRUE(options->Set(LLMA_OPTION_LEVEL, 1));
  const std::vector<uint8_t> content(5000, 'x');
  const auto file = llma::Compress(content, *options);
  ASSERT_TRUE(file);
  const llma::Reader memory = llma::MemoryReader(*file);
  const llma::Reader reader = {
      ~uint64_t{0},
      [&](uint64_t ofs, std::span<uint8_t> buffer) -> llma::Result<size_t> {
        if (ofs >= file->size()) return size_t{0};
        const size_t left = file->size() - static_cast<size_t>(ofs);
        return memory.ReadAt(ofs, buffer.first(std::min(buffer.size(), left)));
      }};
  size_t num_restored = 0;
  const llma::Sink sink = {[&](std::span<const uint8_t> bytes) {
                             num_restored += bytes.size();
                             return llma::OkStatus();
                           },
                           {},
                           {}};
  const auto report = llma::Salvage(reader, *options, sink);
  ASSERT_TRUE(report) << report.error().what;
  EXPECT_EQ(num_restored, content.size());
}

}  // namespace
