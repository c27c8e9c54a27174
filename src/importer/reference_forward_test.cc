// SPDX-License-Identifier: Apache-2.0
// The fast forward pass gives the bits of the plain one, for every variation
// that an imported model can have.
#include "model/reference_forward.h"

#include <gtest/gtest.h>

#include <bit>
#include <map>

#include "importer/testing/import_variation.h"
#include "model/forward.h"

namespace llma {
namespace {

constexpr uint32_t kNumFed = 90;

std::vector<uint32_t> RandomTokens(const ModelConfig& config) {
  TestRandom random(31);
  std::vector<uint32_t> tokens = {config.start_row};
  while (tokens.size() < kNumFed) {
    tokens.push_back(random.Below(config.num_tokens));
  }
  return tokens;
}

// A window, and how much of it heads see, by turns; none: all of it.
struct WindowCase {
  uint32_t window_positions;
  std::vector<uint8_t> shares;
};

void ExpectEqualLogits(const Model& model, const WindowCase& c) {
  ModelConfig config = model.config();
  for (uint32_t i = 0;
       !c.shares.empty() && i < config.num_layers * config.num_kv_heads; ++i) {
    config.window_shares.push_back(c.shares[i % c.shares.size()]);
  }
  const auto tokens = RandomTokens(config);
  ReferenceForward reference(model, config, c.window_positions);
  ThreadPool pool(1);
  ForwardPass forward(model, **FindKernels(""), pool, kNumFed,
                      config.MaxHeadWindow(c.window_positions));
  KvCache cache(config, c.window_positions, kNumFed);
  const StreamBatch stream = {&cache, tokens};
  forward.Run({&stream, 1});
  std::vector<float> logits(forward.logits_stride());
  for (uint32_t i = 0; i < kNumFed; ++i) {
    forward.ComputeLogits(i, 1, logits.data());
    const std::vector<float> expected = reference.Feed(tokens[i]);
    ASSERT_EQ(expected.size(), config.num_tokens);
    for (uint32_t v = 0; v < config.num_tokens; ++v) {
      ASSERT_EQ(std::bit_cast<uint32_t>(logits[v]),
                std::bit_cast<uint32_t>(expected[v]))
          << "position " << i << ", token " << v << ", window "
          << c.window_positions;
    }
  }
}

class ReferenceForwardTest : public testing::TestWithParam<const char*> {};

TEST_P(ReferenceForwardTest, EqualsForwardPass) {
  const auto model = ImportVariation(GetParam());
  ASSERT_NE(model, nullptr);
  // 16 positions are the window of local layers: with 16 and more in the frame
  // they see just these, whatever their heads' shares; with fewer, what other
  // layers see.
  for (const WindowCase& c : std::initializer_list<WindowCase>{
           {16, {}},
           {32, {}},
           {1024, {}},
           {8, {}},
           {32, {4, 40, 16}},
           {8, {64, 32}},
           {64, {1, 2}},
       }) {
    ExpectEqualLogits(*model, c);
  }
}

INSTANTIATE_TEST_SUITE_P(, ReferenceForwardTest,
                         testing::Values("llama", "qwen2", "qwen3", "granite",
                                         "gemma2", "gemma3"));

TEST(ReferenceForwardTraceTest, NamesEachStepOfEachLayer) {
  const auto model = ImportVariation("llama");
  ASSERT_NE(model, nullptr);
  ReferenceForward reference(*model, 32);
  std::map<std::string, std::vector<uint32_t>, std::less<>> layers;
  reference.set_trace([&](uint32_t layer, std::string_view name,
                          std::span<const float> values) {
    EXPECT_FALSE(values.empty());
    layers[std::string(name)].push_back(layer);
  });
  reference.Feed(model->config().start_row);
  const std::vector<uint32_t> all = {0, 1};
  for (const char* name : {"attn_norm", "qkv", "o", "attention", "ffn_norm",
                           "gate_up", "gated", "feed_forward"}) {
    EXPECT_EQ(layers[name], all) << name;
  }
  EXPECT_EQ(layers["x"], (std::vector<uint32_t>{0, 1, 2}));
  EXPECT_EQ(layers["logits"], std::vector<uint32_t>{2});
}

}  // namespace
}  // namespace llma
