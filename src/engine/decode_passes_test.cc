// SPDX-License-Identifier: Apache-2.0
// Sessions of many threads on one device of OpenCL: what they share, and what
// happens to them when it fails or has no more room.
#include "engine/opencl/decode_passes.h"

#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "codec/callbacks.h"
#include "codec/frame/frame_decoder.h"
#include "codec/frame/frame_encoder.h"
#include "codec/testing/longest_pieces.h"
#include "engine/cpu_engine.h"
#include "engine/fallback_engine.h"
#include "engine/opencl/opencl_device.h"
#include "engine/opencl/opencl_engine.h"
#include "kernels/kernel_table.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

using opencl::cl_int;

// Stands before the library's functions.
struct Hooks {
  std::atomic<int> launches = 0;
  std::atomic<int> failing_launch = 0;  // from this one on; 0: none
  std::atomic<bool> fails_to_finish = false;
  std::function<void()> before_finish;
};
Hooks* hooks = nullptr;

opencl::DeviceInfo HookedDevice() {
  static opencl::Api api;
  opencl::DeviceInfo info = *opencl::BestDevice();
  static const opencl::Api* const real = info.api;
  constexpr cl_int kLost = -36;
  api = *real;
  api.EnqueueNDRangeKernel = [](auto... args) -> cl_int {
    const int launch = ++hooks->launches;
    const int failing = hooks->failing_launch;
    if (failing != 0 && launch >= failing) return kLost;
    return real->EnqueueNDRangeKernel(args...);
  };
  api.Finish = [](auto queue) -> cl_int {
    if (hooks->before_finish) hooks->before_finish();
    const cl_int code = real->Finish(queue);
    return hooks->fails_to_finish ? kLost : code;
  };
  info.api = &api;
  return info;
}

class DecodePassesTest : public testing::Test {
 protected:
  void SetUp() override {
    if (opencl::BestDevice() == nullptr) GTEST_SKIP() << "no OpenCL device";
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(model) << model.error().what;
    model_ = *std::move(model);
    hooks = &hooks_;
  }
  void TearDown() override { hooks = nullptr; }

  std::unique_ptr<OpenClEngine> Open(const opencl::DeviceInfo& info) const {
    auto engine = OpenClEngine::Create(*model_, BestKernels(), info);
    EXPECT_TRUE(engine) << engine.error().what;
    return *std::move(engine);
  }

  // What a session of some streams gives that reads random tokens, at times
  // trees of them.
  std::vector<uint64_t> SumsOf(Engine& engine, uint32_t seed,
                               int num_runs) const {
    const uint32_t num_streams = 1 + seed % 3, num_tokens = 200;
    const std::vector<uint64_t> bytes(num_streams, 100);
    ThreadPool pool(1);
    const auto session = engine.OpenDecoder(
        {{num_streams, 16 + 8 * (seed % 4), 5}, bytes, pool});
    EXPECT_TRUE(session) << session.error().what;
    TestRandom random(seed);
    TokenMasses masses(model_->config().num_tokens);
    std::vector<uint64_t> sums;
    for (int run = 0; run < num_runs; ++run) {
      std::vector<std::vector<uint32_t>> tokens(num_streams);
      std::vector<StreamTokens> batch;
      // As many at first as sinks.
      const bool is_tree = run > 0 && num_streams == 1;
      const std::vector<uint32_t> parents = {0, 0, 0, 1, 2};
      for (uint32_t i = 0; i < num_streams; ++i) {
        tokens[i].resize(is_tree || run == 0 ? 5 : 1);
        for (uint32_t& token : tokens[i]) token = random.Below(num_tokens);
        batch.push_back({i, tokens[i]});
        if (is_tree) batch.back().parents = parents;
      }
      const Status status = (*session)->Run(batch);
      EXPECT_TRUE(status) << status.error().what;
      if (!status) return {};
      for (uint32_t row = 0; row < (is_tree ? 5 : num_streams); ++row) {
        (*session)->Weigh(row, masses);
        sums.push_back(masses.Mass(0, model_->config().num_tokens));
        sums.push_back(masses.weight(random.Below(num_tokens)));
      }
      if (is_tree) {
        const std::vector<uint32_t> kept = {0, 2, 4};
        (*session)->Keep(0, std::span(kept).first(1 + run % 3));
      }
    }
    return sums;
  }

  std::unique_ptr<Model> model_;
  Hooks hooks_;
};

// They begin and end at different times, and read as much as they like.
TEST_F(DecodePassesTest, SessionsGetWhatTheyGetAlone) {
  const auto engine = Open(*opencl::BestDevice());
  CpuEngine cpu(*model_, BestKernels());
  std::vector<std::thread> threads;
  for (uint32_t i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      for (uint32_t k = 0; k < 3; ++k) {
        const uint32_t seed = 10 * k + i;
        const int num_runs = 2 + static_cast<int>(seed % 7);
        EXPECT_EQ(SumsOf(*engine, seed, num_runs), SumsOf(cpu, seed, num_runs));
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
}

TEST_F(DecodePassesTest, ThoseWhoComeMeanwhileShareAPass) {
  constexpr int kSessions = 5;
  const auto engine = Open(HookedDevice());
  std::vector<uint32_t> tokens(kSessions, 7);
  std::vector<std::unique_ptr<DecodeSession>> sessions;
  ThreadPool pool(1);
  const uint64_t bytes = 100;
  for (int i = 0; i < kSessions; ++i) {
    auto session = engine->OpenDecoder({{1, 16, 1}, {&bytes, 1}, pool});
    ASSERT_TRUE(session) << session.error().what;
    sessions.push_back(*std::move(session));
  }
  const auto run = [&](int i) {
    const StreamTokens batch = {0, {&tokens[i], 1}};
    const Status status = sessions[i]->Run({&batch, 1});
    EXPECT_TRUE(status) << status.error().what;
  };
  hooks_.launches = 0;
  run(0);
  const int launches = hooks_.launches.exchange(0);
  // The first one's pass ends when all others have come.
  hooks_.before_finish = [&, is_first = true]() mutable {
    if (!std::exchange(is_first, false)) return;
    while (engine->decode_passes().num_waiting() < kSessions - 1) {
      std::this_thread::yield();
    }
  };
  std::vector<std::thread> threads;
  for (int i = 0; i < kSessions; ++i) {
    // The others only when that pass has begun.
    while (i == 1 && hooks_.launches < launches) std::this_thread::yield();
    threads.emplace_back(run, i);
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(hooks_.launches, 2 * launches);
}

// The device is lost in a pass of many sessions: each goes on with the
// processor.
TEST_F(DecodePassesTest, AllFallBackFromADeviceThatIsLost) {
  CpuEngine cpu(*model_, BestKernels());
  constexpr uint32_t kFrames = 6;
  struct Frame {
    std::string content;
    std::vector<uint64_t> lane_bytes;
    std::vector<uint8_t> code;
  };
  const ProgressCallback progress;
  const auto context = [&](Engine& engine, ThreadPool& pool) {
    return FrameContext{engine, BestKernels(),         pool,
                        16,     ContextModels::kLight, progress};
  };
  std::vector<Frame> frames;
  for (uint32_t i = 0; i < kFrames; ++i) {
    TestRandom random(i);
    Frame& frame = frames.emplace_back();
    while (frame.content.size() < 60 + 10 * i) {
      frame.content += random.Below(2) == 0 ? "the other " : "in there\n";
    }
    const auto pieces = LongestPieces(model_->tokens(), AsBytes(frame.content));
    frame.lane_bytes = SplitIntoLanes(pieces, 1 + i % 3);
    ThreadPool pool(1);
    auto code = EncodeFrame(context(cpu, pool), AsBytes(frame.content), pieces,
                            frame.lane_bytes);
    ASSERT_TRUE(code) << code.error().what;
    frame.code = *std::move(code);
  }
  const opencl::DeviceInfo info = HookedDevice();
  for (const int failing_launch : {0, 1, 90, 700}) {
    SCOPED_TRACE(failing_launch);
    hooks_.fails_to_finish = false;
    hooks_.failing_launch = 0;
    FallbackEngine engine(Open(info), BestKernels());
    TakeEngineFailure();
    hooks_.launches = 0;
    hooks_.failing_launch = failing_launch;
    hooks_.fails_to_finish = failing_launch == 0;
    std::vector<std::thread> threads;
    for (const Frame& frame : frames) {
      threads.emplace_back([&] {
        ThreadPool pool(1);
        const auto back = DecodeFrame(
            context(engine, pool), BinaryDecoder(frame.code), frame.lane_bytes);
        ASSERT_TRUE(back) << back.error().what;
        EXPECT_EQ(AsStringView(*back), frame.content);
      });
    }
    for (std::thread& thread : threads) thread.join();
    EXPECT_NE(TakeEngineFailure().find("the device was lost"),
              std::string::npos);
  }
}

// Those for whom the device has no room wait until others are closed.
TEST_F(DecodePassesTest, SessionsWaitForRoom) {
  ThreadPool pool(1);
  const uint64_t bytes = 100;
  const SessionOptions options = {{1, 1024, 1}, {&bytes, 1}, pool};
  const StreamTokens batch = {0, {&model_->config().start_row, 1}};
  const auto decode = [&](Engine& engine) {
    auto session = engine.OpenDecoder(options);
    EXPECT_TRUE(session) << session.error().what;
    EXPECT_TRUE((*session)->Run({&batch, 1}));
    return *std::move(session);
  };
  const auto encode = [&](Engine& engine) {
    auto session = engine.OpenEncoder(options);
    EXPECT_TRUE(session) << session.error().what;
    std::vector<Probability> path;
    EXPECT_TRUE((*session)->Run({&batch, 1}, {&model_->config().start_row, 1},
                                {&path, 1}, {}));
    return *std::move(session);
  };
  const auto with_one = [&](const auto& use) {
    opencl::DeviceInfo info = *opencl::BestDevice();
    uint64_t used_bytes;
    {
      const auto engine = Open(info);
      const auto session = use(*engine);
      used_bytes = engine->device().used_bytes();
    }
    info.memory_bytes = used_bytes * 8 / 7 + 8;
    const auto engine = Open(info);
    std::atomic<int> num_open = 0;
    std::vector<std::thread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int k = 0; k < 5; ++k) {
          const auto session = use(*engine);
          EXPECT_EQ(++num_open, 1);
          --num_open;
        }
      });
    }
    for (std::thread& thread : threads) thread.join();
  };
  with_one(decode);
  with_one(encode);
}

// Not for that of a device that was lost.
TEST_F(DecodePassesTest, NobodyWaitsForALostDevice) {
  ThreadPool pool(1);
  const uint64_t bytes = 100;
  const SessionOptions options = {{1, 1024, 1}, {&bytes, 1}, pool};
  opencl::DeviceInfo info = HookedDevice();
  {
    const auto engine = Open(info);
    const auto session = engine->OpenDecoder(options);
    ASSERT_TRUE(session) << session.error().what;
    info.memory_bytes = engine->device().used_bytes() * 8 / 7 + 8;
  }
  const auto engine = Open(info);
  const auto session = engine->OpenDecoder(options);
  ASSERT_TRUE(session) << session.error().what;
  // Whether it waits already or comes later.
  std::thread other([&] {
    const auto none = engine->OpenDecoder(options);
    ASSERT_FALSE(none);
    EXPECT_EQ(none.error().code, ErrorCode::kIo);
  });
  hooks_.fails_to_finish = true;
  const StreamTokens batch = {0, {&model_->config().start_row, 1}};
  EXPECT_FALSE((*session)->Run({&batch, 1}));
  other.join();
}

}  // namespace
}  // namespace llma
