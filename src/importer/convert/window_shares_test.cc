// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/window_shares.h"

#include <gtest/gtest.h>

#include <numeric>

namespace llma {
namespace {

// The shape of SmolLM2-135M.
ModelConfig Smol135m() {
  ModelConfig c;
  c.num_layers = 30;
  c.dim = 576;
  c.num_heads = 9;
  c.num_kv_heads = 3;
  c.head_dim = 64;
  c.ffn_dim = 1536;
  c.num_tokens = c.num_rows = 49152;
  c.context_length = 8192;
  c.norm_eps = 1e-5f;
  return c;
}

TEST(KnownWindowShares, TakeNoMoreThanOneWindowForAll) {
  ModelConfig c = Smol135m();
  c.window_shares = KnownWindowShares(c);
  ASSERT_EQ(c.window_shares.size(), 90u);
  EXPECT_TRUE(ValidateModelConfig(c));
  EXPECT_LE(std::accumulate(c.window_shares.begin(), c.window_shares.end(), 0u),
            90 * kWholeShare);
}

TEST(KnownWindowShares, AreOfThisShapeAlone) {
  ModelConfig c = Smol135m();
  c.num_layers = 32;
  EXPECT_TRUE(KnownWindowShares(c).empty());
  c = Smol135m();
  c.ffn_dim = 2560;
  EXPECT_TRUE(KnownWindowShares(c).empty());
}

}  // namespace
}  // namespace llma
