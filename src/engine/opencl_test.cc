// SPDX-License-Identifier: Apache-2.0
// The engine of OpenCL devices, where there is one (Debian: pocl-opencl-icd).
#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <tuple>
#include <vector>

#include "engine/cpu_engine.h"
#include "engine/engine_registry.h"
#include "engine/fallback_engine.h"
#include "engine/opencl/opencl_device.h"
#include "engine/opencl/opencl_engine.h"
#include "engine/opencl/opencl_kind.h"
#include "engine/opencl/self_check.h"
#include "engine/reference_engine.h"
#include "importer/testing/import_variation.h"
#include "kernels/kernel_table.h"
#include "numerics/test_random.h"
#include "platform/descriptors.h"
#include "platform/testing/test_folder.h"

namespace llma {
namespace {

// All ways to multiply: that of processors, and those of small and of large
// GPUs, which run everywhere.
std::vector<opencl::DeviceInfo> AllKinds() {
  std::vector<opencl::DeviceInfo> kinds(3, *opencl::BestDevice());
  kinds[0].is_gpu = false;
  kinds[1].is_gpu = kinds[2].is_gpu = true;
  kinds[1].num_units = 1;
  kinds[2].num_units = 100;
  return kinds;
}

// A device that does not round quotients and roots as it must.
opencl::DeviceInfo WithIntegerDivision() {
  opencl::DeviceInfo info = *opencl::BestDevice();
  info.rounds_correctly = false;
  return info;
}

class OpenClTest : public FolderTest {
 protected:
  void SetUp() override {
    if (opencl::BestDevice() == nullptr) GTEST_SKIP() << "no OpenCL device";
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(model) << model.error().what;
    model_ = *std::move(model);
  }

  std::unique_ptr<Model> model_;
};

TEST_F(OpenClTest, OperationsAreThoseOfTheLaw) {
  const auto device = opencl::Device::Open(*opencl::BestDevice());
  ASSERT_TRUE(device) << device.error().what;
  const Status status = opencl::CheckOperations(**device);
  EXPECT_TRUE(status) << status.error().what;
}

TEST_F(OpenClTest, IntegersDivideAsFloatsMust) {
  const auto device = opencl::Device::Open(WithIntegerDivision());
  ASSERT_TRUE(device) << device.error().what;
  EXPECT_STREQ((*device)->quotients(), "integers");
  const Status status = opencl::CheckOperations(**device);
  EXPECT_TRUE(status) << status.error().what;
  // All pairs of special numbers, also those that no model has; results close
  // to the least and the largest; what is a bit more or less than a square.
  std::vector<float> a, b;
  const auto add = [&](uint32_t x, uint32_t y) {
    a.push_back(std::bit_cast<float>(x));
    b.push_back(std::bit_cast<float>(y));
  };
  std::vector<uint32_t> specials;
  for (const uint32_t bits :
       {0x0u,        0x1u,        0x2u,        0x3u,        0x400000u,
        0x7fffffu,   0x800000u,   0x800001u,   0xffffffu,   0x1000000u,
        0x3f7fffffu, 0x3f800000u, 0x3f800001u, 0x40400000u, 0x7e800000u,
        0x7f000000u, 0x7f7ffffeu, 0x7f7fffffu, 0x7f800000u, 0x7f800001u,
        0x7fc00000u}) {
    specials.push_back(bits);
    specials.push_back(bits | 0x80000000);
  }
  for (const uint32_t x : specials) {
    for (const uint32_t y : specials) add(x, y);
  }
  TestRandom random(6);
  const auto any = [&](uint32_t exponent) {
    return exponent << 23 | random.Below(1 << 23);
  };
  for (int i = 0; i < 20000; ++i) {
    const uint32_t exponent = 1 + random.Below(200);
    add(any(exponent), any(std::min(254u, exponent + 120 + random.Below(36))));
    add(any(254 - exponent / 2), any(random.Below(160)));
    const float root = std::bit_cast<float>(any(64 + random.Below(126)));
    add(std::bit_cast<uint32_t>(root * root) + random.Below(3) - 1, any(127));
    add(random.Below(1 << 23), random.Below(1 << 24));
  }
  a.resize(a.size() / opencl::kGroupItems * opencl::kGroupItems);
  b.resize(a.size());
  const auto on_a = (*device)->Upload(std::span<const float>(a));
  const auto on_b = (*device)->Upload(std::span<const float>(b));
  constexpr size_t kOperations = 10;
  std::vector<uint32_t> results(a.size() * kOperations);
  const auto on_results = (*device)->Allocate(results.size() * 4);
  ASSERT_TRUE(on_a && on_b && on_results);
  auto queue = opencl::Queue::Open(**device);
  ASSERT_TRUE(queue) << queue.error().what;
  (*queue)->Run(opencl::Kernel::kOperate, {a.size(), 1},
                {opencl::kGroupItems, 1}, *on_a, *on_b, *on_b, *on_results);
  (*queue)->Read(*on_results, 0, results.size() * 4, results.data());
  const Status finished = (*queue)->Finish();
  ASSERT_TRUE(finished) << finished.error().what;
  const auto expect = [](uint32_t got, float right) {
    if (std::isnan(right)) {
      EXPECT_TRUE(std::isnan(std::bit_cast<float>(got)));
    } else {
      EXPECT_EQ(got, std::bit_cast<uint32_t>(right));
    }
  };
  for (size_t i = 0; i < a.size() && !HasFailure(); ++i) {
    SCOPED_TRACE(testing::Message() << a[i] << ", " << b[i]);
    expect(results[i * kOperations + 2], a[i] / b[i]);
    expect(results[i * kOperations + 3], std::sqrt(std::fabs(a[i])));
  }
}

// Each of these a compiler or a device might do by itself.
TEST_F(OpenClTest, ADeviceThatComputesOtherwiseIsRefused) {
  struct Fault {
    std::string right, wrong;
    bool rounds_correctly = true;
  };
  for (const auto& [right, wrong, rounds_correctly] :
       std::initializer_list<Fault>{
           {"rest == half_unit && (kept & 1)", "rest == half_unit", false},
           {"(uint)whole | has_rest, exponent / 2", "(uint)whole, exponent / 2",
            false},
           {"as_uint(x * y + z)", "as_uint(fma(x, y, z))"},
           {"return a / b;", "return a * (1.0f / b);"},
           {"return sqrt(a);", "return a * rsqrt(a);"},
           {"as_uint((x * y) * z)", "as_uint(x * (y * z))"},
           {"const int bits = as_int(p)", "const int bits = 1 + as_int(p)"},
           {"acc + x.x * y.x", "acc + x.x * abs(y.x)"}}) {
    SCOPED_TRACE(wrong);
    // What single operations need.
    std::string source = opencl::kKernelSource;
    source.resize(source.find("// Products of matrices"));
    const size_t at = source.find(right);
    ASSERT_NE(at, std::string::npos);
    source.replace(at, right.size(), wrong);
    opencl::DeviceInfo info = *opencl::BestDevice();
    info.vendor = info.extensions = "";  // bytes, not what devices have
    info.rounds_correctly = rounds_correctly;
    const auto device = opencl::Device::Open(info, source.c_str());
    ASSERT_TRUE(device) << device.error().what;
    const Status status = opencl::CheckOperations(**device);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(status.error().what.find("it computes otherwise"),
              std::string::npos);
  }
}

TEST_F(OpenClTest, ProductsAreThoseOfTheLaw) {
  for (const opencl::DeviceInfo& info : AllKinds()) {
    const auto device = opencl::Device::Open(info);
    ASSERT_TRUE(device) << device.error().what;
    const Status status = opencl::CheckProducts(**device);
    EXPECT_TRUE(status) << status.error().what;
  }
}

// Also by a kernel that a small model never uses on a large device.
TEST_F(OpenClTest, ADeviceThatMultipliesOtherwiseIsRefused) {
  for (const auto& [is_gpu, right, wrong] :
       {std::tuple{true, "convert_float4(dots[i]) *",
                   "convert_float4(dots[i] + 1) *"},
        {false, "* x_scales[rows[i] + g]", "* x_scales[rows[i]]"}}) {
    SCOPED_TRACE(wrong);
    std::string source = opencl::kKernelSource;
    size_t num_places = 0;
    for (size_t at = 0; (at = source.find(right, at)) != std::string::npos;
         at += std::strlen(wrong), ++num_places) {
      source.replace(at, std::strlen(right), wrong);
    }
    ASSERT_GT(num_places, 0u);
    opencl::DeviceInfo info = *opencl::BestDevice();
    info.is_gpu = is_gpu;
    const auto device = opencl::Device::Open(info, source.c_str());
    ASSERT_TRUE(device) << device.error().what;
    const Status status = opencl::CheckProducts(**device);
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
    EXPECT_NE(status.error().what.find("a product by kernel multiply"),
              std::string::npos);
  }
}

TEST_F(OpenClTest, WhatCannotBeBuiltIsRefused) {
  const auto device =
      opencl::Device::Open(*opencl::BestDevice(), "kernel nonsense");
  ASSERT_FALSE(device);
  EXPECT_EQ(device.error().code, ErrorCode::kUnsupported);
}

// A model whose weights differ in one bit somewhere.
TEST_F(OpenClTest, AModelThatIsComputedOtherwiseIsRefused) {
  class WrongSession : public ReferenceDecodeSession {
   public:
    using ReferenceDecodeSession::ReferenceDecodeSession;
    void Weigh(uint32_t row, TokenMasses& masses) override {
      TokenMasses right(num_tokens_);
      ReferenceDecodeSession::Weigh(row, right);
      std::vector<uint32_t> weights(num_tokens_);
      std::vector<uint64_t> sums(TokenMasses::NumBlocks(num_tokens_));
      for (uint32_t i = 0; i < num_tokens_; ++i) {
        weights[i] = right.weight(i) ^ (row == 5 && i == num_tokens_ - 1);
        sums[i / kTokenBlock] += weights[i];
      }
      masses.Set(sums, [weights](uint32_t block, uint32_t* to) {
        const size_t begin = size_t{block} * kTokenBlock;
        std::copy_n(weights.data() + begin,
                    std::min<size_t>(kTokenBlock, weights.size() - begin), to);
      });
    }
    uint32_t num_tokens_ = 0;
  };
  class WrongEngine : public ReferenceEngine {
   public:
    using ReferenceEngine::ReferenceEngine;
    Result<std::unique_ptr<DecodeSession>> OpenDecoder(
        const SessionOptions& options) override {
      auto session = std::make_unique<WrongSession>(*this, options);
      session->num_tokens_ = model().tokens().num_tokens();
      return std::unique_ptr<DecodeSession>(std::move(session));
    }
  };
  ReferenceEngine right(*model_);
  EXPECT_TRUE(opencl::CheckModel(right, BestKernels()));
  WrongEngine wrong(*model_);
  const Status status = opencl::CheckModel(wrong, BestKernels());
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().code, ErrorCode::kUnsupported);
}

TEST_F(OpenClTest, ModelsOfEveryArchitecture) {
  for (const char* name :
       {"llama", "qwen2", "qwen3", "granite", "gemma2", "gemma3"}) {
    const auto model = ImportVariation(name);
    ASSERT_NE(model, nullptr);
    for (const opencl::DeviceInfo& info : AllKinds()) {
      auto engine = OpenClEngine::Create(*model, BestKernels(), info);
      ASSERT_TRUE(engine) << engine.error().what;
      // The window of local layers is 16.
      for (const uint32_t window : {8u, 16u, 1024u}) {
        SCOPED_TRACE(std::string(name) + ", " + std::to_string(info.is_gpu) +
                     ", " + std::to_string(window));
        const Status status =
            opencl::CheckModel(**engine, BestKernels(), window);
        EXPECT_TRUE(status) << status.error().what;
      }
    }
  }
}

// Rows for several tiles of matrices, and groups of items; more positions than
// items of a group, also after the rings are full.
TEST_F(OpenClTest, ManyRowsAndPositions) {
  for (const char* name : {"llama", "qwen3", "gemma2"}) {
    const auto model = ImportVariation(name);
    ASSERT_NE(model, nullptr);
    const uint64_t bytes[2] = {1000, 1000};
    ThreadPool pool(1);
    const auto paths_of = [&](Engine& engine) {
      std::vector<std::vector<Probability>> all;
      const auto session = engine.OpenEncoder({{2, 150, 90}, bytes, pool});
      EXPECT_TRUE(session) << session.error().what;
      TestRandom random(4);
      for (const uint32_t count : {90u, 63u, 1u, 80u}) {
        std::vector<uint32_t> tokens(2 * count);
        for (uint32_t& token : tokens) token = random.Below(200);
        const StreamTokens batch[2] = {{0, std::span(tokens).first(count)},
                                       {1, std::span(tokens).last(count)}};
        std::vector<std::vector<Probability>> paths(2 * count);
        const Status status = (*session)->Run(batch, tokens, paths, {});
        EXPECT_TRUE(status) << status.error().what;
        all.insert(all.end(), paths.begin(), paths.end());
      }
      return all;
    };
    CpuEngine cpu(*model, BestKernels());
    const auto expected = paths_of(cpu);
    for (const opencl::DeviceInfo& info : AllKinds()) {
      SCOPED_TRACE(std::string(name) + ", " + std::to_string(info.is_gpu) +
                   ", " + std::to_string(info.num_units));
      const auto engine = OpenClEngine::Create(*model, BestKernels(), info);
      ASSERT_TRUE(engine) << engine.error().what;
      EXPECT_EQ(paths_of(**engine), expected);
    }
  }
}

// Weights of the tokens after the rows of a Run.
std::vector<uint64_t> SumsOf(DecodeSession& session, const Model& model,
                             uint32_t count) {
  const uint32_t num_tokens = model.tokens().num_tokens();
  TokenMasses masses(num_tokens);
  std::vector<uint64_t> sums;
  for (uint32_t row = 0; row < count; ++row) {
    session.Weigh(row, masses);
    sums.push_back(masses.Mass(0, num_tokens));
    sums.push_back(masses.weight(row));
  }
  return sums;
}

// Alternatives, of which some are kept, and streams that go on as others did.
TEST_F(OpenClTest, TreesAndStartsAreThoseOfTheProcessor) {
  for (const char* name : {"llama", "qwen2", "gemma2"}) {
    SCOPED_TRACE(name);
    const auto model = ImportVariation(name);
    ASSERT_NE(model, nullptr);
    auto opened =
        OpenClEngine::Create(*model, BestKernels(), *opencl::BestDevice());
    ASSERT_TRUE(opened) << opened.error().what;
    CpuEngine cpu(*model, BestKernels());
    std::vector<std::vector<uint64_t>> results;
    for (Engine* engine :
         {static_cast<Engine*>(opened->get()), static_cast<Engine*>(&cpu)}) {
      ThreadPool pool(1);
      TestRandom random(3);
      std::vector<uint64_t>& sums = results.emplace_back();
      const uint64_t bytes[2] = {100, 100};
      const SessionOptions options = {{2, 32, 16}, bytes, pool};
      const auto encoder = engine->OpenEncoder(options);
      ASSERT_TRUE(encoder) << encoder.error().what;
      for (int i = 0; i < 4; ++i) {
        std::vector<uint32_t> tokens(13);
        for (uint32_t& token : tokens) token = random.Below(200);
        const StreamTokens batch = {1, tokens};
        std::vector<std::vector<Probability>> paths(13);
        ASSERT_TRUE((*encoder)->Run({&batch, 1}, tokens, paths, {}));
      }
      const auto start = (*encoder)->Share(1);
      ASSERT_TRUE(start) << start.error().what;
      SessionOptions with_start = options;
      with_start.start = start->get();
      const auto decoder = engine->OpenDecoder(with_start);
      ASSERT_TRUE(decoder) << decoder.error().what;
      const std::vector<uint32_t> parents = {0, 0, 0, 1, 1, 2, 3, 5};
      const std::vector<std::vector<uint32_t>> kept = {
          {0, 2, 5, 7}, {0}, {0, 1, 4}, {0, 1, 3, 6}};
      for (int i = 0; i < 12; ++i) {
        std::vector<uint32_t> tokens(8);
        for (uint32_t& token : tokens) token = random.Below(200);
        const StreamTokens tree = {0, tokens, parents};
        ASSERT_TRUE((*decoder)->Run({&tree, 1}));
        const auto found = SumsOf(**decoder, *model, 8);
        sums.insert(sums.end(), found.begin(), found.end());
        (*decoder)->Keep(0, kept[i % 4]);
        const StreamTokens both[2] = {{0, std::span(tokens).first(3)},
                                      {1, std::span(tokens).first(1)}};
        ASSERT_TRUE((*decoder)->Run(both));
        const auto more = SumsOf(**decoder, *model, 4);
        sums.insert(sums.end(), more.begin(), more.end());
      }
    }
    EXPECT_EQ(results[0], results[1]);
  }
}

// What is known of a device is not found again, and is believed.
TEST_F(OpenClTest, VerdictsAreKept) {
  ::setenv("XDG_DATA_HOME", folder_.c_str(), 1);
  const auto engine_of = [](const Model& model) {
    return *OpenClEngine::Create(model, BestKernels(), *opencl::BestDevice());
  };
  const auto gemma = ImportVariation("gemma3"), qwen = ImportVariation("qwen2");
  const auto passed = engine_of(*gemma), refused = engine_of(*qwen);
  EXPECT_TRUE(opencl::CheckOnce(*passed, BestKernels()));
  const std::string verdicts = Path("llma/opencl/");
  const auto kept =
      ReadFile(verdicts + opencl::VerdictName(passed->device(), *gemma));
  ASSERT_TRUE(kept) << kept.error().what;
  EXPECT_EQ(AsStringView(*kept), "passed\n");
  EXPECT_EQ(opencl::KnownVerdict(*opencl::BestDevice()), "computes as it must");

  // Of a device that is refused, the next one takes the place.
  opencl::DeviceInfo other = WithIntegerDivision();
  other.name = "another";
  const auto on_other = *opencl::Device::Open(other);
  std::ofstream(verdicts + opencl::VerdictName(*on_other, *gemma))
      << "refused: 1 + 1 is 5\n";
  const opencl::DeviceInfo both[2] = {other, *opencl::BestDevice()};
  const auto on_second = CreateOnOneOf(both, *gemma, BestKernels());
  ASSERT_TRUE(on_second) << on_second.error().what;
  EXPECT_EQ((*on_second)->device().info().name, opencl::BestDevice()->name);
  const auto none = CreateOnOneOf({both, 1}, *gemma, BestKernels());
  ASSERT_FALSE(none);
  EXPECT_NE(none.error().what.find("1 + 1 is 5"), std::string::npos);

  // What is not a whole verdict is none.
  for (const char* text : {"", "pass", "passed", "passed\npassed\n",
                           "refused: ", "refused: 1 + 1 is",
                           "refused: 1\nrefused: 2\n", "none\n"}) {
    for (const auto& file : std::filesystem::directory_iterator(verdicts)) {
      std::ofstream(file.path()) << text;
    }
    EXPECT_EQ(opencl::KnownVerdict(*opencl::BestDevice()), "not checked yet")
        << text;
  }

  std::ofstream(verdicts + opencl::VerdictName(refused->device(), *qwen))
      << "refused: 1 + 1 is 3\n";
  // Nor can it with integers.
  const auto also_refused =
      *OpenClEngine::Create(*qwen, BestKernels(), WithIntegerDivision());
  std::ofstream(verdicts + opencl::VerdictName(also_refused->device(), *qwen))
      << "refused: 1 + 1 is 4\n";
  const Status status = opencl::CheckOnce(*refused, BestKernels());
  ASSERT_FALSE(status);
  EXPECT_NE(status.error().what.find("1 + 1 is 3"), std::string::npos);
  // The processor takes its place, and it is said why.
  TakeEngineFailure();
  const auto engine = kOpenClEngine.create(*qwen, BestKernels());
  ASSERT_TRUE(engine);
  EXPECT_NE(dynamic_cast<CpuEngine*>(engine->get()), nullptr);
  EXPECT_EQ(TakeEngineFailure(), status.error().what);

  // One that only says that it rounds quotients gets integers.
  const auto llama = ImportVariation("llama");
  const auto liar = engine_of(*llama);
  std::ofstream(verdicts + opencl::VerdictName(liar->device(), *llama))
      << "refused: 1 / 3 is 0.34\n";
  const auto with_integers = kOpenClEngine.create(*llama, BestKernels());
  ASSERT_TRUE(with_integers);
  EXPECT_EQ(dynamic_cast<CpuEngine*>(with_integers->get()), nullptr);
  EXPECT_EQ(TakeEngineFailure(), "");
  ::unsetenv("XDG_DATA_HOME");
}

// Not enough memory is an error, and the processor takes over.
TEST_F(OpenClTest, WithoutRoomTheProcessorTakesOver) {
  opencl::DeviceInfo small = *opencl::BestDevice();
  small.max_buffer_bytes = 1 << 10;
  auto engine = OpenClEngine::Create(*model_, BestKernels(), small);
  ASSERT_FALSE(engine);
  EXPECT_EQ(engine.error().code, ErrorCode::kMemory);
  small.max_buffer_bytes = 1 << 19;
  engine = OpenClEngine::Create(*model_, BestKernels(), small);
  ASSERT_TRUE(engine) << engine.error().what;
  TakeEngineFailure();
  FallbackEngine fallback(*std::move(engine), BestKernels());
  ThreadPool pool(1);
  const uint64_t bytes = 1 << 20;
  const auto session =
      fallback.OpenDecoder({{1, 32768, 16}, {&bytes, 1}, pool});
  ASSERT_TRUE(session) << session.error().what;
  EXPECT_NE(TakeEngineFailure().find("out of memory"), std::string::npos);
  const StreamTokens batch = {0, {&model_->config().start_row, 1}};
  EXPECT_TRUE((*session)->Run({&batch, 1}));
}

}  // namespace
}  // namespace llma
