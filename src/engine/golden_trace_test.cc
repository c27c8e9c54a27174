// SPDX-License-Identifier: Apache-2.0
// Every kernel table, engine and the plain forward pass give what the golden
// trace says; the first line that differs names the layer and the step.
#include "engine/golden_trace.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <memory>

#include "engine/cpu_engine.h"
#include "engine/engine_registry.h"
#include "engine/reference_engine.h"
#include "kernels/kernel_table.h"
#include "model/forward.h"
#include "model/kv_cache.h"

namespace llma {
namespace {

// How a stream is cut into batches, and by how many threads they are computed.
struct Split {
  uint32_t batch_tokens;
  int num_threads;
};
// One token at a time; some; more than are attended together; all by threads
// that have rows of their own.
constexpr Split kSplits[] = {
    {1, 1}, {7, 2}, {40, 2}, {kTracedTokens, 1}, {kTracedTokens, 3}};

bool IsOfEngine(const std::string& line) {
  return line.find(" weights ") != std::string::npos ||
         line.find(" path ") != std::string::npos;
}

class GoldenTraceTest : public testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::Open(LLMA_TEST_DATA_DIR "/tiny.llmm");
    ASSERT_TRUE(model) << model.error().what;
    model_ = *std::move(model);
    std::ifstream file(LLMA_TEST_DATA_DIR "/tiny_trace.txt");
    for (std::string line; std::getline(file, line);) {
      golden_.push_back(line);
      (IsOfEngine(line) ? golden_of_engines_ : golden_of_passes_)
          .push_back(line);
    }
    ASSERT_EQ(golden_of_engines_.size(), 2u);
    tokens_ = TracedTokens(model_->config());
  }

  // The steps of the fast forward pass.
  std::vector<std::string> TracePass(const KernelTable& kernels, Split split) {
    ThreadPool pool(split.num_threads);
    ForwardPass forward(*model_, kernels, pool, split.batch_tokens,
                        kTraceWindow);
    KvCache cache(model_->config(), kTraceWindow, split.batch_tokens);
    std::vector<float> logits(split.batch_tokens * forward.logits_stride());
    TraceHashes hashes;
    uint32_t begin = 0;
    forward.set_trace([&](uint32_t layer, std::string_view name, uint32_t row,
                          uint32_t col, std::span<const float> values) {
      hashes.Add(layer, name, begin + row, col, values);
    });
    for (; begin < kTracedTokens; begin += split.batch_tokens) {
      const StreamBatch batch = {&cache, TokensFrom(begin, split)};
      forward.Run({&batch, 1});
      forward.ComputeLogits(0, static_cast<uint32_t>(batch.tokens.size()),
                            logits.data());
    }
    return hashes.Lines();
  }

  // What an engine gives: weights of a decoder, paths of an encoder.
  std::vector<std::string> TraceEngine(Engine& engine, Split split) {
    ThreadPool pool(split.num_threads);
    const uint64_t stream_bytes = 10000;
    const SessionOptions options = {
        {1, kTraceWindow, split.batch_tokens}, {&stream_bytes, 1}, pool};
    const auto encoder = engine.OpenEncoder(options);
    const auto decoder = engine.OpenDecoder(options);
    EXPECT_TRUE(encoder && decoder);
    TraceHashes hashes;
    const uint32_t num_layers = model_->config().num_layers;
    std::vector<std::vector<Probability>> paths(split.batch_tokens);
    TokenMasses masses(model_->tokens().num_tokens());
    for (uint32_t begin = 0; begin < kTracedTokens;
         begin += split.batch_tokens) {
      const StreamTokens batch = {0, TokensFrom(begin, split)};
      const auto count = static_cast<uint32_t>(batch.tokens.size());
      EXPECT_TRUE((*decoder)->Run({&batch, 1}));
      EXPECT_TRUE((*encoder)->Run({&batch, 1},
                                  std::span(tokens_).subspan(begin + 1, count),
                                  paths, {}));
      for (uint32_t i = 0; i < count; ++i) {
        (*decoder)->Weigh(i, masses);
        hashes.AddMasses(num_layers, begin + i, masses);
        hashes.AddPath(num_layers, begin + i, paths[i]);
      }
    }
    return hashes.Lines();
  }

  std::span<const uint32_t> TokensFrom(uint32_t begin, Split split) const {
    return std::span(tokens_).subspan(
        begin, std::min(split.batch_tokens, kTracedTokens - begin));
  }

  std::unique_ptr<Model> model_;
  std::vector<uint32_t> tokens_;
  std::vector<std::string> golden_, golden_of_passes_, golden_of_engines_;
};

// The first lines that differ.
void ExpectEqualLines(const std::vector<std::string>& lines,
                      const std::vector<std::string>& golden) {
  EXPECT_EQ(lines.size(), golden.size());
  for (size_t i = 0; i < std::min(lines.size(), golden.size()); ++i) {
    ASSERT_EQ(lines[i], golden[i]) << "the first step that differs";
  }
}

TEST_F(GoldenTraceTest, OfTheReference) {
  TraceHashes hashes;
  TraceReference(*model_, hashes);
  ExpectEqualLines(hashes.Lines(), golden_);
}

TEST_F(GoldenTraceTest, OfEveryKernelTable) {
  for (const KernelTable* table : AllKernels()) {
    if (!table->is_supported()) continue;
    for (const Split split : kSplits) {
      SCOPED_TRACE(std::string(table->name) + ", " +
                   std::to_string(split.batch_tokens) + " tokens, " +
                   std::to_string(split.num_threads) + " threads");
      ExpectEqualLines(TracePass(*table, split), golden_of_passes_);
    }
  }
}

TEST_F(GoldenTraceTest, OfEveryEngine) {
  for (const Split split : kSplits) {
    SCOPED_TRACE(std::to_string(split.batch_tokens) + " tokens, " +
                 std::to_string(split.num_threads) + " threads");
    for (const EngineKind* kind : AllEngines()) {
      if (!kind->is_supported()) continue;
      const auto engine = kind->create(*model_, **FindKernels(""));
      ASSERT_TRUE(engine) << engine.error().what;
      SCOPED_TRACE(kind->name);
      ExpectEqualLines(TraceEngine(**engine, split), golden_of_engines_);
    }
    ReferenceEngine reference(*model_);
    ExpectEqualLines(TraceEngine(reference, split), golden_of_engines_);
  }
}

// A change of one bit is seen, and where it is.
TEST_F(GoldenTraceTest, NamesWhatDiffers) {
  TraceHashes hashes, changed;
  const std::vector<float> values = {1, 2, 3};
  for (TraceHashes* of : {&hashes, &changed}) {
    of->Add(1, "o", 5, 0, std::span<const float>(values));
    of->Add(0, "qkv", 5, 0, std::span<const float>(values));
  }
  const std::vector<float> other = {2.0000002f};
  changed.Add(1, "o", 5, 1, std::span<const float>(other));
  const auto lines = hashes.Lines(), changed_lines = changed.Lines();
  ASSERT_EQ(lines.size(), 2u);
  EXPECT_EQ(lines[0], changed_lines[0]);
  EXPECT_NE(lines[1], changed_lines[1]);
  EXPECT_EQ(lines[0].substr(0, 6), "0 qkv ");
  EXPECT_EQ(lines[1].substr(0, 4), "1 o ");
}

}  // namespace
}  // namespace llma
