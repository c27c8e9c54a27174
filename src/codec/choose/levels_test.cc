// SPDX-License-Identifier: Apache-2.0
#include "codec/choose/levels.h"

#include <gtest/gtest.h>

#include "model/kv_cache.h"

namespace llma {
namespace {

TEST(LanesForContent, OneForEach4096PiecesThenFor8192) {
  EXPECT_EQ(LanesForContent(0, 16), 1u);
  EXPECT_EQ(LanesForContent(8191, 16), 1u);
  EXPECT_EQ(LanesForContent(8192, 16), 2u);
  EXPECT_EQ(LanesForContent(32768, 16), 8u);
  EXPECT_EQ(LanesForContent(73727, 16), 8u);
  EXPECT_EQ(LanesForContent(73728, 16), 9u);
  EXPECT_EQ(LanesForContent(size_t{1} << 40, 16), 16u);
}

TEST(LanesForContent, NoMoreThanTheLevels) {
  EXPECT_EQ(LanesForContent(32768, 4), 4u);
  EXPECT_EQ(LanesForContent(size_t{1} << 40, 1), 1u);
}

TEST(WindowForContent, NoLargerThanWhatEachHeadNeeds) {
  ModelConfig config;
  config.num_layers = 1;
  config.num_kv_heads = 2;
  config.context_length = 8192;
  EXPECT_EQ(WindowForContent(config, 768, 100), 112u);
  EXPECT_EQ(WindowForContent(config, 768, 96), 112u);
  EXPECT_EQ(WindowForContent(config, 768, 10000), 768u);
  EXPECT_EQ(WindowForContent(config, 1024, 1), 16u);
  config.window_shares = {4, 32};
  EXPECT_EQ(WindowForContent(config, 768, 100), 416u);
  EXPECT_EQ(WindowForContent(config, 96, 100), 96u);
  EXPECT_EQ(WindowForContent(config, 768, 500), 2016u);
  EXPECT_EQ(WindowForContent(config, 768, 768), 2048u);
  EXPECT_EQ(WindowForContent(config, 768, 769), 768u);
  EXPECT_EQ(WindowForContent(config, 4096, 1024), 2048u);
  EXPECT_EQ(WindowForContent(config, 4096, 1025), 4096u);
  EXPECT_EQ(WindowForContent(config, 768, 10000), 768u);
}

TEST(WindowForContent, NoLargerThanAttentionSees) {
  ModelConfig config;
  config.num_layers = 1;
  config.num_kv_heads = 2;
  config.context_length = 8192;
  const size_t many = 1 << 20;
  EXPECT_EQ(WindowForContent(config, kMaxWindowPositions, many), 32752u);
  EXPECT_TRUE(KvCache::IsSupported(config, 32752));
  EXPECT_FALSE(KvCache::IsSupported(config, 32768));
  config.window_shares = {16, 128};  // no more than the window or the context
  EXPECT_EQ(WindowForContent(config, kMaxWindowPositions, many), 32752u);
  config.context_length = 1 << 20;
  EXPECT_EQ(WindowForContent(config, kMaxWindowPositions, many), 4080u);
}

}  // namespace
}  // namespace llma
