// SPDX-License-Identifier: Apache-2.0
#include "model/model_config.h"

#include <gtest/gtest.h>

#include <limits>

namespace llma {
namespace {

ModelConfig GoodConfig() {
  ModelConfig c;
  c.num_layers = 2;
  c.dim = 128;
  c.num_heads = 4;
  c.num_kv_heads = 2;
  c.head_dim = 32;
  c.ffn_dim = 192;
  c.num_tokens = 500;
  c.num_rows = 502;
  c.start_row = 501;
  c.context_length = 512;
  c.norm_eps = 1e-5f;
  return c;
}

TEST(ModelConfigTest, AcceptsTheLimits) {
  EXPECT_TRUE(ValidateModelConfig(GoodConfig()));
  ModelConfig c = GoodConfig();
  c.num_layers = 256;
  c.dim = 1 << 14;
  c.num_heads = c.num_kv_heads = 64;
  c.head_dim = 256;
  c.ffn_dim = 1 << 16;
  c.num_tokens = c.num_rows = 1 << 20;
  c.start_row = 0;
  EXPECT_TRUE(ValidateModelConfig(c));
}

TEST(ModelConfigTest, RefusesWhatIsOutOfBounds) {
  struct Case {
    uint32_t ModelConfig::*field;
    uint32_t value;
  };
  const Case cases[] = {
      {&ModelConfig::num_layers, 0},
      {&ModelConfig::num_layers, 257},
      {&ModelConfig::dim, 0},
      {&ModelConfig::dim, 100},
      {&ModelConfig::dim, (1 << 14) + 64},
      {&ModelConfig::num_heads, 0},
      {&ModelConfig::num_heads, 3},
      {&ModelConfig::num_heads, 1u << 31},
      {&ModelConfig::num_kv_heads, 0},
      {&ModelConfig::num_kv_heads, 3},
      {&ModelConfig::num_kv_heads, 8},
      {&ModelConfig::head_dim, 0},
      {&ModelConfig::head_dim, 40},
      {&ModelConfig::head_dim, 272},
      {&ModelConfig::ffn_dim, 0},
      {&ModelConfig::ffn_dim, 96},
      {&ModelConfig::ffn_dim, (1 << 16) + 64},
      {&ModelConfig::num_tokens, 0},
      {&ModelConfig::num_tokens, 503},
      {&ModelConfig::num_rows, (1 << 20) + 1},
      {&ModelConfig::start_row, 502},
      {&ModelConfig::context_length, 0},
  };
  for (const Case& test : cases) {
    ModelConfig c = GoodConfig();
    c.*test.field = test.value;
    EXPECT_FALSE(ValidateModelConfig(c)) << test.value;
  }
  for (const float eps :
       {0.0f, 1e-12f, 1e-2f, -1e-5f, std::numeric_limits<float>::infinity(),
        std::numeric_limits<float>::quiet_NaN()}) {
    ModelConfig c = GoodConfig();
    c.norm_eps = eps;
    EXPECT_FALSE(ValidateModelConfig(c)) << eps;
  }
}

TEST(ModelConfigTest, VariationsHaveBounds) {
  const auto is_valid = [](float ModelConfig::*field, float value) {
    ModelConfig c = GoodConfig();
    c.*field = value;
    return static_cast<bool>(ValidateModelConfig(c));
  };
  const float nan = std::numeric_limits<float>::quiet_NaN();
  for (const auto field : {&ModelConfig::score_divisor, &ModelConfig::score_cap,
                           &ModelConfig::logit_cap}) {
    EXPECT_TRUE(is_valid(field, 0));
    EXPECT_TRUE(is_valid(field, 30));
    for (const float bad : {0.5f, -30.0f, 1e9f, nan}) {
      EXPECT_FALSE(is_valid(field, bad)) << bad;
    }
  }
  EXPECT_TRUE(is_valid(&ModelConfig::embedding_scale, 25.3f));
  for (const float bad : {0.0f, -1.0f, 1e9f, nan}) {
    EXPECT_FALSE(is_valid(&ModelConfig::embedding_scale, bad)) << bad;
  }
  ModelConfig c = GoodConfig();
  c.local_positions = 512;
  EXPECT_FALSE(ValidateModelConfig(c));  // of no layer
  c.set_local(1);
  EXPECT_TRUE(ValidateModelConfig(c));
  c.set_local(2);
  EXPECT_FALSE(ValidateModelConfig(c));  // there are two layers
}

TEST(ModelConfigTest, WindowSharesHaveBounds) {
  ModelConfig c = GoodConfig();  // 2 layers of 2 key/value heads
  c.window_shares = {1, 128, 16, 3};
  EXPECT_TRUE(ValidateModelConfig(c));
  for (const int bad : {0, 129, 255}) {
    c.window_shares[3] = static_cast<uint8_t>(bad);
    EXPECT_FALSE(ValidateModelConfig(c)) << bad;
  }
}

TEST(ModelConfigTest, HeadsHaveSharesOfTheWindow) {
  ModelConfig c = GoodConfig();
  EXPECT_EQ(c.HeadWindow(768, 1, 1), 768u);
  EXPECT_EQ(c.MinHeadWindow(768), 768u);
  EXPECT_EQ(c.MaxHeadWindow(768), 768u);
  c.context_length = 2048;
  c.window_shares = {1, 64, 16, 32};
  EXPECT_EQ(c.HeadWindow(768, 0, 0), 48u);
  EXPECT_EQ(c.HeadWindow(768, 0, 1), 2048u);  // the context
  EXPECT_EQ(c.HeadWindow(768, 1, 0), 768u);
  EXPECT_EQ(c.HeadWindow(768, 1, 1), 1536u);
  EXPECT_EQ(c.HeadWindow(4096, 1, 1), 4096u);  // the window itself
  EXPECT_EQ(c.MinHeadWindow(768), 48u);
  EXPECT_EQ(c.MaxHeadWindow(768), 2048u);
  EXPECT_EQ(c.MaxHeadWindow(1u << 20), 1u << 20);
}

TEST(ModelConfigTest, ErrorsNameTheField) {
  ModelConfig c = GoodConfig();
  c.head_dim = 40;
  EXPECT_EQ(ValidateModelConfig(c).error().what,
            "model: head_dim = 40 is not a multiple of 16 from 16 to 256");
}

}  // namespace
}  // namespace llma
