// SPDX-License-Identifier: Apache-2.0
// Accuracy of the definitions against double; edge cases that have a meaning.
#include "numerics/reference_ops.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "numerics/test_random.h"

namespace llma {
namespace {

TEST(QuantizeRow, ErrorIsHalfAStep) {
  TestRandom random(1);
  std::vector<float> x(256);
  for (float& v : x) v = random.Float(3.0f);
  std::vector<int8_t> q(256);
  std::vector<float> scales(4);
  std::vector<int32_t> starts(4);
  reference::QuantizeRow(x.data(), 256, 64, q.data(), scales.data(),
                         starts.data());
  for (int i = 0; i < 256; ++i) {
    EXPECT_GE(q[i], -127);
    EXPECT_NEAR(q[i] * scales[i / 64], x[i], scales[i / 64] * 0.5001f);
  }
  for (int g = 0; g < 4; ++g) {
    int32_t sum = 0;
    for (int i = 0; i < 64; ++i) sum += q[64 * g + i];
    EXPECT_EQ(-128 * sum, starts[g]);
  }
}

TEST(QuantizeRow, ZeroAndTinyGroupsAreZero) {
  std::vector<float> x(128, 0.0f);
  x[70] = 0x1p-61f;
  std::vector<int8_t> q(128, 5);
  std::vector<float> scales(2, 9.0f);
  std::vector<int32_t> starts(2, 9);
  reference::QuantizeRow(x.data(), 128, 64, q.data(), scales.data(),
                         starts.data());
  EXPECT_EQ(q, std::vector<int8_t>(128, 0));
  EXPECT_EQ(scales, std::vector<float>(2, 0.0f));
  EXPECT_EQ(starts, std::vector<int32_t>(2, 0));
}

TEST(QuantizeWideKey, ErrorIsHalfAStep) {
  TestRandom random(5);
  std::vector<float> x(64);
  for (float& v : x) v = random.Float(3.0f);
  x[5] = 3.5f;
  x[6] = -3.5f;
  std::vector<int8_t> high(64), low(64);
  float scale;
  reference::QuantizeWideKey(x.data(), 64, high.data(), low.data(), &scale);
  EXPECT_EQ(128 * high[5] + low[5], 16319);
  EXPECT_EQ(128 * high[6] + low[6], -16319);
  for (int i = 0; i < 64; ++i) {
    EXPECT_GE(high[i], -127);
    EXPECT_TRUE(low[i] >= -64 && low[i] <= 63);
    EXPECT_NEAR(double{scale} * (128 * high[i] + low[i]), x[i],
                0.502 * double{scale});
  }
}

TEST(GeGlu, MatchesDouble) {
  for (double g = -20; g <= 20; g += 0.01) {
    const auto gate = static_cast<float>(g);
    const float up = 1.5f;
    float y;
    reference::GeGlu(&gate, &up, 1, &y);
    const double x = gate;
    const double exact =
        0.75 * x *
        (1 + std::tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
    EXPECT_NEAR(y, exact, 4e-6 * (1 + std::fabs(exact))) << g;
  }
}

TEST(SoftCap, MatchesDouble) {
  for (double v = -200; v <= 200; v += 0.37) {
    auto x = static_cast<float>(v);
    const double exact = 30 * std::tanh(double{x} / 30);
    reference::SoftCap(30.0f, 1, &x);
    EXPECT_NEAR(x, exact, 2e-4) << v;
  }
}

TEST(RmsNorm, MatchesDouble) {
  TestRandom random(2);
  std::vector<float> x(576), w(576), y(576);
  for (float& v : x) v = random.Float(50.0f);
  for (float& v : w) v = random.Float(2.0f);
  reference::RmsNorm(x.data(), w.data(), 576, 1e-5f, y.data());
  double sum = 0;
  for (const float v : x) sum += double{v} * v;
  const double inverse = 1 / std::sqrt(sum / 576 + 1e-5);
  for (int i = 0; i < 576; ++i) {
    EXPECT_NEAR(y[i], x[i] * inverse * w[i], 1e-5);
  }
}

TEST(SwiGlu, MatchesDoubleAndIsBounded) {
  std::vector<float> gate, up;
  for (int i = -1000; i <= 1000; ++i) {
    gate.push_back(static_cast<float>(i) * 0.05f);
    up.push_back(static_cast<float>(i % 7) - 3.0f);
  }
  gate.insert(gate.end(), {1e30f, -1e30f, 1e4f});
  up.insert(up.end(), {1e5f, 1e5f, -1e4f});
  std::vector<float> y(gate.size());
  reference::SwiGlu(gate.data(), up.data(), static_cast<uint32_t>(y.size()),
                    y.data());
  for (size_t i = 0; i < y.size() - 3; ++i) {
    const double g = gate[i];
    const double exact = g / (1 + std::exp(-g)) * up[i];
    EXPECT_NEAR(y[i], exact, 1e-5 * std::fabs(exact) + 1e-20);
  }
  EXPECT_EQ(y[y.size() - 3], kLargestGated);
  EXPECT_EQ(y[y.size() - 2], 0.0f);
  EXPECT_EQ(y[y.size() - 1], -kLargestGated);
}

TEST(AttentionWeights, MatchSoftmax) {
  TestRandom random(3);
  const uint32_t n = 512;
  std::vector<float> scores(n), v_scales(n);
  for (float& s : scores) s = random.Float(8.0f);
  for (float& s : v_scales) s = 0.01f + std::fabs(random.Float(0.02f));
  scores[17] = kMaskedScore;
  std::vector<double> exact(n);
  double sum = 0;
  for (uint32_t j = 0; j < n; ++j) sum += exact[j] = std::exp2(scores[j]);
  std::vector<uint8_t> hi(n), lo(n);
  const float scale = reference::AttentionWeights(
      scores.data(), v_scales.data(), n, hi.data(), lo.data());
  for (uint32_t j = 0; j < n; ++j) {
    ASSERT_LE(hi[j], 127);
    ASSERT_LE(lo[j], 127);
    const double p = (hi[j] * 128.0 + lo[j]) * scale / v_scales[j];
    EXPECT_NEAR(p, exact[j] / sum, 2e-5) << j;
  }
  EXPECT_EQ(hi[17] + lo[17], 0);
}

TEST(AttentionWeights, AllZeroValuesGiveZero) {
  std::vector<float> scores(16, kMaskedScore), v_scales(16, 0.0f);
  scores[3] = 1.0f;
  std::vector<uint8_t> hi(16, 9), lo(16, 9);
  EXPECT_EQ(reference::AttentionWeights(scores.data(), v_scales.data(), 16,
                                        hi.data(), lo.data()),
            0.0f);
  EXPECT_EQ(hi, std::vector<uint8_t>(16, 0));
}

TEST(TokenWeights, MatchSoftmaxAndNeverZero) {
  TestRandom random(4);
  const uint32_t n = 1000;
  std::vector<float> logits(n);
  for (float& l : logits) l = random.Float(20.0f);
  logits[5] = -500.0f;
  std::vector<uint32_t> weights(n);
  std::vector<uint64_t> blocks((n + 63) / 64);
  reference::TokenWeights(logits.data(), n, weights.data(), blocks.data());
  double sum = 0, max = -1e30;
  uint64_t total = 0, block_total = 0;
  for (const float l : logits) max = std::max(max, double{l});
  for (const float l : logits) sum += std::exp(l - max);
  for (const uint32_t w : weights) total += w;
  for (const uint64_t b : blocks) block_total += b;
  EXPECT_EQ(total, block_total);
  for (uint32_t v = 0; v < n; ++v) {
    EXPECT_NEAR(static_cast<double>(weights[v]) / static_cast<double>(total),
                std::exp(logits[v] - max) / sum, 1e-5);
  }
  EXPECT_EQ(weights[5], 1u);
}

}  // namespace
}  // namespace llma
