// SPDX-License-Identifier: Apache-2.0
// What the engine of OpenCL does on this machine, with a device that is not
// there: which one it takes, and what is left when memory, of this machine or
// of the device, runs out, or any call fails.
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <new>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "engine/fallback_engine.h"
#include "engine/opencl/opencl_engine.h"
#include "engine/opencl/self_check.h"
#include "engine/testing/fake_opencl.h"
#include "kernels/kernel_table.h"

namespace llma {
namespace {

using opencl::DeviceInfo;
using opencl::FakeOpenCl;

TEST(OpenClDevices, OfNoPlatforms) {
  FakeOpenCl fake;
  fake.platforms.clear();
  EXPECT_TRUE(opencl::ListDevices(fake.api()).empty());
  fake.platforms.resize(3);
  EXPECT_TRUE(opencl::ListDevices(fake.api()).empty());
  EXPECT_TRUE(opencl::UsableDevices({}).empty());
}

TEST(OpenClDevices, OfSeveralPlatforms) {
  FakeOpenCl fake;
  opencl::ClDevice processor = *fake.platforms[0].devices[0];
  processor.numbers[opencl::kDeviceType] = 1 << 1;
  processor.texts[opencl::kDeviceName] = "a processor";
  opencl::ClDevice old = *fake.platforms[0].devices[0];
  old.numbers.erase(opencl::kDeviceLocalMemSize);
  fake.platforms.resize(4);
  fake.platforms[0].devices = {&processor};
  fake.platforms[2].devices = {&old, fake.platforms[0].devices[0]};
  FakeOpenCl::Add(fake.platforms[2]);
  FakeOpenCl::Add(fake.platforms[3]);
  const auto all = opencl::ListDevices(fake.api());
  ASSERT_EQ(all.size(), 5u);
  EXPECT_EQ(all[0].name, "a processor");
  // GPUs alone, if there are any.
  const auto usable = opencl::UsableDevices(all);
  ASSERT_EQ(usable.size(), 2u);
  EXPECT_EQ(usable[0].id, all[3].id);
  EXPECT_EQ(usable[0].platform, &fake.platforms[2]);
  EXPECT_EQ(usable[1].platform, &fake.platforms[3]);
  EXPECT_EQ(opencl::UsableDevices(std::span(all).first(3)).size(), 2u);
  // Each is used with its own platform.
  for (const DeviceInfo& info : usable) {
    EXPECT_TRUE(opencl::Device::Open(info));
  }
  EXPECT_EQ(fake.num_misuses, 0);
}

TEST(OpenClDevices, WithoutWhatIsNeeded) {
  const std::pair<opencl::cl_uint, uint64_t> kLacks[] = {
      {opencl::kDeviceAvailable, 0},
      {opencl::kDeviceCompilerAvailable, 0},
      {opencl::kDeviceEndianLittle, 0},
      {opencl::kDeviceSingleFpConfig, opencl::kFpDenorm},
      {opencl::kDeviceSingleFpConfig, opencl::kFpRoundToNearest},
      {opencl::kDeviceMaxWorkGroupSize, 63},
      {opencl::kDeviceLocalMemSize, 16 << 10}};
  for (const auto& [what, value] : kLacks) {
    FakeOpenCl fake;
    opencl::ClDevice device = *fake.platforms[0].devices[0];
    fake.platforms[0].devices = {&device};
    device.numbers[what] = value;
    EXPECT_NE(fake.device().lack, "") << what;
    EXPECT_FALSE(opencl::Device::Open(fake.device()));
    // What it does not say, it has not got.
    device.numbers.erase(what);
    EXPECT_NE(fake.device().lack, "") << what;
    EXPECT_EQ(fake.num_calls, 0);
  }
}

class OpenClHostTest : public testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(model) << model.error().what;
    model_ = *std::move(model);
    TakeEngineFailure();
  }
  void TearDown() override {
    EXPECT_EQ(fake_.num_live, 0);
    EXPECT_EQ(fake_.num_misuses, 0);
    TakeEngineFailure();
  }

  std::unique_ptr<OpenClEngine> Open(const DeviceInfo& info) const {
    auto engine = OpenClEngine::Create(*model_, BestKernels(), info);
    EXPECT_TRUE(engine) << engine.error().what;
    return *std::move(engine);
  }
  // Streams of an encoder and a decoder that goes on as one of them, with a
  // tree; and of a second one, for which memory has to grow, unless a thread
  // that has one would wait for itself where it cannot.
  Status UseSessions(Engine& engine, bool has_second = true) {
    constexpr uint64_t kBytes[2] = {100, 100};
    const uint32_t start_row = model_->config().start_row;
    const std::array<uint32_t, 6> tokens = {start_row, 5, 6, 7, 8, 9};
    const SessionOptions options = {{2, 16, 8}, kBytes, pool_};
    LLMA_ASSIGN(const auto encoder, engine.OpenEncoder(options));
    const StreamTokens batch[2] = {{0, tokens}, {1, tokens}};
    std::vector<uint32_t> targets(12, 9);
    std::vector<std::vector<Probability>> paths(12);
    const auto on_masses = [](uint32_t, const TokenMasses&) {};
    LLMA_TRY(encoder->Run(batch, targets, paths, on_masses));
    LLMA_ASSIGN(const auto start, encoder->Share(1));
    SessionOptions with_start = options;
    with_start.start = start.get();
    LLMA_ASSIGN(const auto decoder, engine.OpenDecoder(with_start));
    SessionOptions larger = options;
    larger.shape.max_run_tokens = 16;
    if (has_second) {
      LLMA_ASSIGN(const auto second, engine.OpenDecoder(larger));
      LLMA_TRY(second->Run(batch));
    }
    LLMA_TRY(decoder->Run(batch));
    const std::vector<uint32_t> parents = {0, 0, 0, 1, 1, 2};
    const StreamTokens tree = {0, tokens, parents};
    LLMA_TRY(decoder->Run({&tree, 1}));
    const std::vector<uint32_t> kept = {0, 2, 5};
    decoder->Keep(0, kept);
    LLMA_TRY(decoder->Run(batch));
    num_calls_ = fake_.num_calls;
    return OkStatus();
  }
  Status OpenAndUse(bool has_second = true) {
    LLMA_ASSIGN(auto engine,
                OpenClEngine::Create(*model_, BestKernels(), fake_.device()));
    return UseSessions(*engine, has_second);
  }

  FakeOpenCl fake_;
  int num_calls_ = 0;  // without those of ending
  std::unique_ptr<Model> model_;
  ThreadPool pool_{1};
};

TEST_F(OpenClHostTest, AllocationsThatFail) {
  ASSERT_TRUE(OpenAndUse());
  num_allocations = 0;
  ASSERT_TRUE(OpenAndUse());
  const int64_t total = num_allocations;
  int64_t num_failed = 0;
  for (const bool once : {true, false}) {
    for (int64_t first = 0; first < total; ++first) {
      fails_once = once;
      num_allocations = 0;
      first_failing = first;
      bool has_failed = false;
      try {
        has_failed = !OpenAndUse();
      } catch (const std::bad_alloc&) {
        has_failed = true;
      }
      first_failing = kNeverFails;
      num_failed += has_failed ? 1 : 0;
      ASSERT_EQ(fake_.num_live, 0) << "allocation " << first;
    }
  }
  EXPECT_GT(num_failed, total);
}

// Of a session that could not be opened, or has failed, nothing stays in the
// way of others.
TEST_F(OpenClHostTest, SessionsThatFailLeaveRoom) {
  const auto engine = Open(fake_.device());
  const auto used_bytes = [&] { return engine->device().used_bytes(); };
  ASSERT_TRUE(UseSessions(*engine));
  const uint64_t used = used_bytes();
  num_allocations = 0;
  ASSERT_TRUE(UseSessions(*engine));
  const int64_t total = num_allocations;
  for (int64_t first = 0; first < total; ++first) {
    fails_once = true;
    num_allocations = 0;
    first_failing = first;
    try {
      (void)UseSessions(*engine);
    } catch (const std::bad_alloc&) {
      // Of whatever it was.
    }
    first_failing = kNeverFails;
    ASSERT_TRUE(UseSessions(*engine)) << "allocation " << first;
    ASSERT_EQ(used_bytes(), used) << "allocation " << first;
  }
}

TEST_F(OpenClHostTest, CallsThatFail) {
  fake_.num_calls = 0;
  ASSERT_TRUE(OpenAndUse(false));
  const int total = fake_.num_calls, num_calls = num_calls_;
  for (const bool once : {true, false}) {
    for (int call = 1; call <= total; call += once ? 1 : 7) {
      fake_.fails_once = once;
      fake_.num_calls = 0;
      fake_.failing_call = call;
      const Status status = OpenAndUse(false);
      fake_.failing_call = 0;
      ASSERT_EQ(fake_.num_live, 0) << "call " << call;
      if (once) continue;  // an array may grow less
      ASSERT_EQ(status.has_value(), call > num_calls) << "call " << call;
    }
  }
}

// Also where there is no memory to say that the device was lost.
TEST_F(OpenClHostTest, NobodyWaitsForASessionThatFailed) {
  constexpr uint64_t kBytes = 100;
  const SessionOptions options = {{1, 16, 8}, {&kBytes, 1}, pool_};
  const StreamTokens batch = {0, {&model_->config().start_row, 1}};
  for (int64_t first = 0; first < 30; ++first) {
    const auto engine = Open(fake_.device());
    const auto one = engine->OpenDecoder(options);
    const auto other = engine->OpenDecoder(options);
    ASSERT_TRUE(one && other);
    fake_.num_calls = 0;
    fake_.failing_call = 1;
    fails_once = false;
    num_allocations = 0;
    first_failing = first;
    try {
      EXPECT_FALSE((*one)->Run({&batch, 1}));
    } catch (const std::bad_alloc&) {
      // Before the pass, or instead of its error.
    }
    first_failing = kNeverFails;
    EXPECT_FALSE((*other)->Run({&batch, 1}));
    fake_.failing_call = 0;
  }
}

// Calls are right for one that is there, too; the sanitizers look on.
TEST_F(OpenClHostTest, WithADeviceOfThisMachine) {
  const DeviceInfo* const device = opencl::BestDevice();
  if (device == nullptr) GTEST_SKIP() << "no OpenCL device";
  const auto engine = Open(*device);
  const Status used = UseSessions(*engine);
  EXPECT_TRUE(used) << used.error().what;
  const Status checked = opencl::CheckModel(*engine, BestKernels());
  EXPECT_TRUE(checked) << checked.error().what;
}

// An encoder that found no room for its decisions may find some later.
TEST_F(OpenClHostTest, DecisionsFindRoomLater) {
  const auto engine = Open(fake_.device());
  constexpr uint64_t kBytes = 100;
  const StreamTokens batch = {0, {&model_->config().start_row, 1}};
  const uint32_t target = 9;
  std::vector<Probability> path;
  for (int call = 1; call <= 3; ++call) {
    const auto session = engine->OpenEncoder({{1, 16, 8}, {&kBytes, 1}, pool_});
    ASSERT_TRUE(session) << session.error().what;
    const auto run = [&] {
      return (*session)->Run({&batch, 1}, {&target, 1}, {&path, 1}, {});
    };
    fake_.fails_once = true;
    fake_.num_calls = 0;
    fake_.failing_call = call;
    const Status status = run();
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kMemory);
    EXPECT_TRUE(run());
  }
}

// Whatever the shapes of those were that have gone.
TEST_F(OpenClHostTest, WhoIsAloneHasAllRoom) {
  constexpr uint64_t kBytes = 100;
  const SessionShape shapes[] = {{1, 16, 64}, {1, 4096, 1}};
  uint64_t most_bytes = 0;
  for (const SessionShape& shape : shapes) {
    const auto engine = Open(fake_.device());
    ASSERT_TRUE(engine->OpenDecoder({shape, {&kBytes, 1}, pool_}));
    most_bytes = std::max(most_bytes, engine->device().used_bytes());
  }
  DeviceInfo info = fake_.device();
  info.memory_bytes = most_bytes * 8 / 7 + 8;
  const auto engine = Open(info);
  for (int i = 0; i < 4; ++i) {
    const auto session =
        engine->OpenDecoder({shapes[i % 2], {&kBytes, 1}, pool_});
    ASSERT_TRUE(session) << session.error().what;
  }
}

// A device that fails in the middle has nothing left of what used it, even
// while sessions go on with the processor.
TEST_F(OpenClHostTest, NothingIsLeftOnALostDevice) {
  constexpr uint64_t kBytes = 100;
  const SessionOptions options = {{1, 16, 8}, {&kBytes, 1}, pool_};
  const StreamTokens batch = {0, {&model_->config().start_row, 1}};
  {
    // Of sessions themselves, all but the weights.
    const auto engine = Open(fake_.device());
    const uint64_t of_weights = engine->device().used_bytes();
    const auto one = engine->OpenDecoder(options);
    const auto other = engine->OpenDecoder(options);
    ASSERT_TRUE(one && other);
    ASSERT_TRUE((*other)->Run({&batch, 1}));
    EXPECT_GT(engine->device().used_bytes(), of_weights);
    fake_.num_calls = 0;
    fake_.failing_call = 1;
    EXPECT_FALSE((*one)->Run({&batch, 1}));
    EXPECT_EQ(engine->device().used_bytes(), of_weights);
    EXPECT_FALSE((*other)->Run({&batch, 1}));
    EXPECT_FALSE(engine->OpenDecoder(options));
    fake_.failing_call = 0;
    EXPECT_FALSE((*other)->Run({&batch, 1}));
  }
  // And with a processor that takes over, all.
  FallbackEngine engine(Open(fake_.device()), BestKernels());
  auto encoder = engine.OpenEncoder(options);
  ASSERT_TRUE(encoder) << encoder.error().what;
  const uint32_t target = 9;
  std::vector<Probability> path;
  const auto encode = [&] {
    return (*encoder)->Run({&batch, 1}, {&target, 1}, {&path, 1}, {});
  };
  ASSERT_TRUE(encode());
  auto start = (*encoder)->Share(0);
  ASSERT_TRUE(start);
  SessionOptions with_start = options;
  with_start.start = start->get();
  const auto decoder = engine.OpenDecoder(options);
  auto late = engine.OpenDecoder(with_start);
  ASSERT_TRUE(decoder && late);
  ASSERT_TRUE((*decoder)->Run({&batch, 1}));
  fake_.num_calls = 0;
  fake_.failing_call = 1;
  ASSERT_TRUE((*decoder)->Run({&batch, 1}));
  EXPECT_NE(TakeEngineFailure(), "");
  EXPECT_GT(fake_.num_live, 0);  // the encoder and the start are its
  ASSERT_TRUE(encode());
  ASSERT_TRUE((*late)->Run({&batch, 1}));
  encoder = engine.OpenEncoder(options);
  ASSERT_TRUE(encoder && encode());
  EXPECT_GT(fake_.num_live, 0);
  late = Error{};
  start = Error{};
  EXPECT_EQ(fake_.num_live, 0);
  ASSERT_TRUE((*decoder)->Run({&batch, 1}));
}

}  // namespace
}  // namespace llma
