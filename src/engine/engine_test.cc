// SPDX-License-Identifier: Apache-2.0
// Every engine gives the same frames; what goes wrong on a device is an error.
#include "engine/engine.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <string>
#include <thread>
#include <vector>

#include "codec/callbacks.h"
#include "codec/frame/frame_decoder.h"
#include "codec/frame/frame_encoder.h"
#include "codec/testing/longest_pieces.h"
#include "engine/cpu_engine.h"
#include "engine/engine_registry.h"
#include "engine/fallback_engine.h"
#include "engine/reference_engine.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

TEST(EngineRegistry, TheProcessorIsAlwaysThere) {
  const auto found = FindEngine("cpu");
  ASSERT_TRUE(found);
  EXPECT_STREQ((*found)->name, "cpu");
  EXPECT_TRUE(FindEngine(""));
}

TEST(EngineRegistry, UnknownNamesAreErrors) {
  const auto found = FindEngine("abacus");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::kUsage);
  for (const EngineKind* kind : AllEngines()) {
    EXPECT_NE(found.error().what.find(kind->name), std::string::npos);
  }
}

TEST(EngineRegistry, TheEnvironmentForcesOne) {
  ::setenv("LLMA_ENGINE", "cpu", 1);
  EXPECT_STREQ((*EngineFromEnvironment())->name, "cpu");
  EXPECT_STREQ(EngineToEstimate().name, "cpu");
  ::setenv("LLMA_ENGINE", "auto", 1);
  EXPECT_TRUE(EngineFromEnvironment());
  ::setenv("LLMA_ENGINE", "nonsense", 1);
  EXPECT_FALSE(EngineFromEnvironment());
  EXPECT_STREQ(EngineToEstimate().name, (*FindEngine(""))->name);
  ::unsetenv("LLMA_ENGINE");
  EXPECT_TRUE(EngineFromEnvironment());
}

// Words that come again, so that a single lane guesses, rightly and wrongly;
// some bytes that are no token.
std::string Text(size_t size, uint32_t seed) {
  constexpr const char* kWords[] = {"the other being ", "there, and\n", "in ",
                                    "\xff", "the same words, again "};
  TestRandom random(seed);
  std::string text;
  while (text.size() < size) text += kWords[random.Below(5)];
  text.resize(size);
  return text;
}

class EngineTest : public testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(model) << model.error().what;
    model_ = *std::move(model);
    engines_.push_back(
        {"reference", std::make_shared<ReferenceEngine>(*model_)});
    for (const EngineKind* kind : AllEngines()) {
      if (!kind->is_supported()) continue;
      auto made = kind->create(*model_, BestKernels());
      ASSERT_TRUE(made) << kind->name << ": " << made.error().what;
      EXPECT_LE((*made)->encode_rows(), kind->max_encode_rows) << kind->name;
      engines_.push_back({kind->name, *std::move(made)});
    }
  }

  struct NamedEngine {
    std::string name;
    std::shared_ptr<Engine> engine;
  };
  struct Coded {
    std::vector<uint8_t> code;
    std::vector<uint64_t> lane_bytes;
  };
  Coded Encode(Engine& engine, const std::string& content, uint32_t lanes,
               FrameCosts* costs = nullptr) const {
    const auto pieces = LongestPieces(model_->tokens(), AsBytes(content));
    Coded coded;
    coded.lane_bytes = SplitIntoLanes(pieces, lanes);
    ThreadPool pool(2);
    FrameContext context = Context(engine, pool);
    context.costs = costs;
    auto code =
        EncodeFrame(context, AsBytes(content), pieces, coded.lane_bytes);
    EXPECT_TRUE(code) << code.error().what;
    if (code) coded.code = *std::move(code);
    return coded;
  }
  Result<std::vector<uint8_t>> Decode(Engine& engine,
                                      const Coded& coded) const {
    ThreadPool pool(2);
    return DecodeFrame(Context(engine, pool), BinaryDecoder(coded.code),
                       coded.lane_bytes);
  }
  FrameContext Context(Engine& engine, ThreadPool& pool) const {
    return {engine, BestKernels(), pool, 16, ContextModels::kLight, progress_};
  }

  std::unique_ptr<Model> model_;
  // The plain one, which the others are compared with, and the registry's.
  std::vector<NamedEngine> engines_;
  ProgressCallback progress_;
};

TEST_F(EngineTest, AllGiveTheSameFrames) {
  ASSERT_GE(engines_.size(), 2u);
  for (const uint32_t lanes : {1u, 3u}) {
    const std::string content = Text(500, lanes);
    const Coded expected = Encode(*engines_[0].engine, content, lanes);
    for (const auto& [name, engine] : engines_) {
      SCOPED_TRACE(name + ", " + std::to_string(lanes) + " lanes");
      EXPECT_EQ(Encode(*engine, content, lanes).code, expected.code);
      const auto back = Decode(*engine, expected);
      ASSERT_TRUE(back) << back.error().what;
      EXPECT_EQ(AsStringView(*back), content);
    }
  }
}

TEST_F(EngineTest, AllSayTheSameOfCosts) {
  const std::string content = Text(200, 5);
  FrameCosts expected{3, {}};
  Encode(*engines_[0].engine, content, 2, &expected);
  ASSERT_FALSE(expected.pieces.empty());
  for (const auto& [name, engine] : engines_) {
    SCOPED_TRACE(name);
    FrameCosts costs{3, {}};
    Encode(*engine, content, 2, &costs);
    ASSERT_EQ(costs.pieces.size(), expected.pieces.size());
    for (size_t i = 0; i < costs.pieces.size(); ++i) {
      const PieceCost &a = costs.pieces[i], &b = expected.pieces[i];
      EXPECT_EQ(a.bits, b.bits);
      EXPECT_EQ(a.model_bits, b.model_bits);
      ASSERT_EQ(a.alternatives.size(), b.alternatives.size());
      for (size_t k = 0; k < a.alternatives.size(); ++k) {
        EXPECT_EQ(a.alternatives[k].token, b.alternatives[k].token);
        EXPECT_EQ(a.alternatives[k].probability, b.alternatives[k].probability);
      }
    }
  }
}

TEST_F(EngineTest, OneServesFramesOfManyThreads) {
#if defined(__EMSCRIPTEN__) && !defined(__EMSCRIPTEN_PTHREADS__)
  GTEST_SKIP() << "this build has no threads";
#endif
  for (const auto& named : engines_) {
    const std::string& name = named.name;
    const auto& engine = named.engine;
    std::vector<std::thread> threads;
    for (uint32_t i = 0; i < 4; ++i) {
      threads.emplace_back([&, i] {
        SCOPED_TRACE(name);
        const std::string content = Text(300 + 10 * i, i);
        const auto back = Decode(*engine, Encode(*engine, content, 1 + i % 3));
        ASSERT_TRUE(back) << back.error().what;
        EXPECT_EQ(AsStringView(*back), content);
      });
    }
    for (std::thread& thread : threads) thread.join();
  }
}

// A device has most of what it needs elsewhere, or more here.
TEST_F(EngineTest, EstimatesAreThoseOfTheKind) {
  EngineKind kind = EngineToEstimate();
  const auto encoder_bytes = [&] {
    return EncoderMemoryBytes(kind, model_->config(), 2, 64, 1);
  };
  const auto decoder_bytes = [&] {
    return DecoderMemoryBytes(kind, model_->config(), 2, 64, 1);
  };
  const uint64_t to_encode = encoder_bytes(), to_decode = decoder_bytes();
  kind.max_encode_rows *= 2;
  EXPECT_GT(encoder_bytes(), to_encode);
  kind = EngineToEstimate();
  kind.encoder_bytes = [](const ModelConfig&, const SessionShape&, int) {
    return uint64_t{1} << 40;
  };
  EXPECT_GT(encoder_bytes(), uint64_t{1} << 40);
  EXPECT_EQ(decoder_bytes(), to_decode);
  kind.decoder_bytes = [](const ModelConfig&, const SessionShape& shape, int) {
    return uint64_t{shape.num_streams} << 40;
  };
  EXPECT_GT(decoder_bytes(), uint64_t{2} << 40);
}

// A device that is lost at some time.
enum class Failure { kOpening, kRunning, kWeighing };

class FailingDecodeSession : public ReferenceDecodeSession {
 public:
  FailingDecodeSession(const Engine& engine, const SessionOptions& options,
                       Failure failure)
      : ReferenceDecodeSession(engine, options),
        num_tokens_(engine.model().tokens().num_tokens()),
        failure_(failure) {}
  Status Run(std::span<const StreamTokens> batch) override {
    if (++num_runs_ == 5 && failure_ == Failure::kRunning) return Lost();
    return ReferenceDecodeSession::Run(batch);
  }
  void Weigh(uint32_t row, TokenMasses& masses) override {
    if (num_runs_ < 5 || failure_ != Failure::kWeighing) {
      return ReferenceDecodeSession::Weigh(row, masses);
    }
    is_lost_ = true;
    const std::vector<float> equal(num_tokens_);
    masses.Set(**FindKernels("scalar"), equal.data());
  }
  Status Check() override { return is_lost_ ? Status(Lost()) : OkStatus(); }
  static Error Lost() { return {ErrorCode::kIo, "the device was lost"}; }

 private:
  const uint32_t num_tokens_;
  const Failure failure_;
  int num_runs_ = 0;
  std::atomic<bool> is_lost_ = false;  // several threads weigh
};

class FailingEngine : public ReferenceEngine {
 public:
  FailingEngine(const Model& model, Failure failure)
      : ReferenceEngine(model), failure_(failure) {}
  Result<std::unique_ptr<EncodeSession>> OpenEncoder(
      const SessionOptions& options) override {
    if (failure_ == Failure::kOpening) return FailingDecodeSession::Lost();
    class Session : public ReferenceEncodeSession {
     public:
      using ReferenceEncodeSession::ReferenceEncodeSession;
      Status Run(std::span<const StreamTokens> batch,
                 std::span<const uint32_t> targets,
                 std::span<std::vector<Probability>> paths,
                 const MassesCallback& on_masses) override {
        if (++num_runs_ == 3) return FailingDecodeSession::Lost();
        return ReferenceEncodeSession::Run(batch, targets, paths, on_masses);
      }

     private:
      int num_runs_ = 0;
    };
    return std::unique_ptr<EncodeSession>(
        std::make_unique<Session>(*this, options));
  }
  Result<std::unique_ptr<DecodeSession>> OpenDecoder(
      const SessionOptions& options) override {
    if (failure_ == Failure::kOpening) return FailingDecodeSession::Lost();
    return std::unique_ptr<DecodeSession>(
        std::make_unique<FailingDecodeSession>(*this, options, failure_));
  }

 private:
  const Failure failure_;
};

TEST_F(EngineTest, FailuresOfADeviceAreErrors) {
  CpuEngine cpu(*model_, **FindKernels(""));
  const std::string content = Text(400, 9);
  const auto pieces = LongestPieces(model_->tokens(), AsBytes(content));
  for (const Failure failure :
       {Failure::kOpening, Failure::kRunning, Failure::kWeighing}) {
    FailingEngine failing(*model_, failure);
    for (const uint32_t lanes : {1u, 3u}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(failure)) + " " +
                   std::to_string(lanes));
      const Coded coded = Encode(cpu, content, lanes);
      const auto back = Decode(failing, coded);
      ASSERT_FALSE(back);
      EXPECT_EQ(back.error().what, FailingDecodeSession::Lost().what);
      ThreadPool pool(2);
      const auto code = EncodeFrame(Context(failing, pool), AsBytes(content),
                                    pieces, coded.lane_bytes);
      ASSERT_FALSE(code);
      EXPECT_EQ(code.error().what, FailingDecodeSession::Lost().what);
    }
  }
}

// The processor goes on where a device was lost, and the reason is known.
TEST_F(EngineTest, TheProcessorTakesOver) {
  CpuEngine cpu(*model_, BestKernels());
  const std::string content = Text(400, 9);
  for (const Failure failure : {Failure::kOpening, Failure::kRunning}) {
    for (const uint32_t lanes : {1u, 3u}) {
      SCOPED_TRACE(std::to_string(static_cast<int>(failure)) + " " +
                   std::to_string(lanes));
      const Coded expected = Encode(cpu, content, lanes);
      TakeEngineFailure();
      // Of one engine, which is lost when it is used first.
      for (const bool is_lost_before : {false, true}) {
        FallbackEngine engine(std::make_unique<FailingEngine>(*model_, failure),
                              BestKernels());
        const auto encode = [&] {
          EXPECT_EQ(Encode(engine, content, lanes).code, expected.code);
        };
        if (is_lost_before) encode();
        const auto back = Decode(engine, expected);
        ASSERT_TRUE(back) << back.error().what;
        EXPECT_EQ(AsStringView(*back), content);
        encode();
        EXPECT_EQ(TakeEngineFailure(), FailingDecodeSession::Lost().what);
        EXPECT_EQ(TakeEngineFailure(), "");
      }
    }
  }
}

// A device is not even asked.
TEST_F(EngineTest, WhatLearnsIsForTheProcessor) {
  FallbackEngine engine(
      std::make_unique<FailingEngine>(*model_, Failure::kOpening),
      BestKernels());
  ThreadPool pool(1);
  const uint64_t bytes[1] = {100};
  SessionOptions options = {{1, 16, 4}, bytes, pool};
  options.learns = true;
  EXPECT_TRUE(engine.OpenEncoder(options));
  EXPECT_TRUE(engine.OpenDecoder(options));
  EXPECT_EQ(TakeEngineFailure(), "");
}

// Also where streams go on as one of a lost device did.
TEST_F(EngineTest, StartsOutliveTheDevice) {
  CpuEngine cpu(*model_, BestKernels());
  FallbackEngine failing(
      std::make_unique<FailingEngine>(*model_, Failure::kRunning),
      BestKernels());
  const std::vector<uint32_t> tokens = {model_->config().start_row, 5, 6, 7};
  const std::vector<uint32_t> more = {8, 9, 10, 11, 12};
  std::vector<std::vector<std::vector<Probability>>> found;
  ThreadPool pool(1);
  for (Engine* engine :
       {static_cast<Engine*>(&cpu), static_cast<Engine*>(&failing)}) {
    const uint64_t bytes[2] = {100, 100};
    const SessionOptions options = {{1, 16, 4}, {bytes, 1}, pool};
    std::vector<std::vector<Probability>> paths(4);
    const auto first = engine->OpenEncoder(options);
    ASSERT_TRUE(first);
    const StreamTokens batch = {0, tokens};
    ASSERT_TRUE((*first)->Run({&batch, 1}, tokens, paths, {}));
    const auto start = (*first)->Share(0);
    ASSERT_TRUE(start);
    const auto session = engine->OpenEncoder(
        {{2, 16, 4}, bytes, pool, nullptr, nullptr, start->get()});
    ASSERT_TRUE(session);
    for (const uint32_t token : more) {  // the device is lost meanwhile
      const StreamTokens both[2] = {{0, {&token, 1}}, {1, {&more[0], 1}}};
      const uint32_t targets[2] = {3, 4};
      std::vector<std::vector<Probability>> two(2);
      ASSERT_TRUE((*session)->Run(both, targets, two, {}));
      paths.insert(paths.end(), two.begin(), two.end());
    }
    found.push_back(paths);
  }
  EXPECT_EQ(found[0], found[1]);
  EXPECT_EQ(TakeEngineFailure(), FailingDecodeSession::Lost().what);
}

}  // namespace
}  // namespace llma
