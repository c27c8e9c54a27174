// SPDX-License-Identifier: Apache-2.0
// Every kernel of every table equals the definition, bit for bit, on random and
// extreme values and on all awkward shapes.
#include <gtest/gtest.h>

#include <bit>
#include <cstring>
#include <vector>

#include "kernels/kernel_table.h"
#include "kernels/testing/amx_model.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

// 64-byte aligned storage of trivially copyable values.
template <class T>
class Aligned {
 public:
  explicit Aligned(size_t size, T value = T{})
      : storage_(size + 64 / sizeof(T), value), size_(size) {
    const auto address = reinterpret_cast<uintptr_t>(storage_.data());
    data_ = storage_.data() + ((64 - address % 64) % 64) / sizeof(T);
  }
  T* data() { return data_; }
  size_t size() const { return size_; }
  T& operator[](size_t i) { return data_[i]; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  std::vector<T> storage_;
  size_t size_;
  T* data_;
};

template <class T>
void ExpectSameBits(Aligned<T>& expected, Aligned<T>& actual,
                    const char* what) {
  ASSERT_EQ(expected.size(), actual.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    ASSERT_EQ(std::memcmp(&expected[i], &actual[i], sizeof(T)), 0)
        << what << " differs at " << i << ": expected " << +expected[i]
        << ", actual " << +actual[i];
  }
}

class KernelEquality : public testing::TestWithParam<const KernelTable*> {
 protected:
  void SetUp() override {
    if (!GetParam()->is_supported()) {
      GTEST_SKIP() << "not covered here: " << GetParam()->name;
    }
  }
#if defined(__x86_64__)
  void TearDown() override { EXPECT_EQ(CountsOfAmxModel().faults, 0u); }
#endif
  const KernelTable& kernels() { return *GetParam(); }
  TestRandom random_{12345};

  // Mixes moderate, tiny, huge, zero and negative zero values.
  float AnyFloat() {
    switch (random_.Below(8)) {
      case 0:
        return 0.0f;
      case 1:
        return -0.0f;
      case 2:
        return random_.Float(0x1p-70f);
      case 3:
        return random_.Float(0x1p+40f);
      default:
        return random_.Float(4.0f);
    }
  }
  int8_t AnyInt8() {
    const uint32_t kind = random_.Below(8);
    return kind == 0 ? int8_t{127} : kind == 1 ? int8_t{-127} : random_.Int8();
  }
};

TEST_P(KernelEquality, QuantizeRow) {
  for (const uint32_t group_size : {16u, 32u, 64u, 128u}) {
    for (int round = 0; round < 50; ++round) {
      const uint32_t n = group_size * (1 + random_.Below(8));
      Aligned<float> x(n);
      const bool moderate = round % 2 == 0;
      for (float& v : x) v = moderate ? random_.Float(2.0f) : AnyFloat();
      if (round == 7) std::fill(x.begin(), x.end(), 0.0f);
      const uint32_t groups = n / group_size;
      Aligned<int8_t> q0(n), q1(n);
      Aligned<float> s0(groups), s1(groups);
      Aligned<int32_t> t0(groups), t1(groups);
      reference::QuantizeRow(x.data(), n, group_size, q0.data(), s0.data(),
                             t0.data());
      kernels().quantize_row(x.data(), n, group_size, q1.data(), s1.data(),
                             t1.data());
      ExpectSameBits(q0, q1, "values");
      ExpectSameBits(s0, s1, "scales");
      ExpectSameBits(t0, t1, "starts");
    }
  }
}

TEST_P(KernelEquality, Matmul) {
  for (const uint32_t num_rows :
       {1u, 2u, 3u, 4u, 5u, 7u, 8u, 9u, 13u, 16u, 17u, 33u, 51u}) {
    for (const uint32_t num_cols : {64u, 128u, 576u, 960u}) {
      const uint32_t w_rows = 16 * (1 + random_.Below(6)) - random_.Below(16);
      LinearWeights w;
      w.num_rows = w_rows;
      w.num_cols = num_cols;
      Aligned<int8_t> w_values(w.values_bytes());
      Aligned<float> w_scales(w.num_scales());
      const bool extreme = random_.Below(3) == 0;
      for (int8_t& v : w_values) v = extreme ? int8_t{-127} : AnyInt8();
      for (float& v : w_scales) v = std::abs(AnyFloat()) * 0x1p-10f;
      w.values = w_values.data();
      w.scales = w_scales.data();
      const uint32_t groups = w.num_groups();
      Aligned<int8_t> x_values(size_t{num_rows} * num_cols);
      Aligned<float> x_scales(size_t{num_rows} * groups);
      Aligned<int32_t> x_starts(size_t{num_rows} * groups, 0);
      for (int8_t& v : x_values) {
        v = extreme ? (random_.Below(2) ? int8_t{127} : int8_t{-127})
                    : AnyInt8();
      }
      for (float& v : x_scales) v = std::abs(AnyFloat());
      for (size_t i = 0; i < x_values.size(); ++i) {
        x_starts[i / kGroupSize] -= 128 * x_values[i];
      }
      const QuantizedRows x{x_values.data(), x_scales.data(), x_starts.data(),
                            num_rows,        num_cols,        groups};
      const size_t stride = w.num_panels() * kPanelRows + 3;
      Aligned<float> y0(num_rows * stride, 7.0f), y1(num_rows * stride, 7.0f);
      const uint32_t begin = random_.Below(w.num_panels());
      const uint32_t end = begin + 1 + random_.Below(w.num_panels() - begin);
      reference::Matmul(w, begin, end, x, y0.data(), stride);
      kernels().matmul(w, begin, end, x, y1.data(), stride);
      ExpectSameBits(y0, y1, "y");
    }
  }
}

TEST_P(KernelEquality, RmsNorm) {
  for (const uint32_t dim : {16u, 64u, 80u, 128u, 576u, 1024u}) {
    for (int round = 0; round < 20; ++round) {
      Aligned<float> x(dim), weight(dim), y0(dim), y1(dim);
      for (float& v : x) v = round % 2 ? random_.Float(100.0f) : AnyFloat();
      for (float& v : weight) v = random_.Float(3.0f);
      if (round == 3) std::fill(x.begin(), x.end(), 0.0f);
      reference::RmsNorm(x.data(), weight.data(), dim, 1e-5f, y0.data());
      kernels().rms_norm(x.data(), weight.data(), dim, 1e-5f, y1.data());
      ExpectSameBits(y0, y1, "y");
    }
  }
}

TEST_P(KernelEquality, SwiGlu) {
  for (const uint32_t size : {1u, 15u, 16u, 64u, 100u, 1536u}) {
    Aligned<float> gate(size), up(size), y0(size), y1(size);
    for (float& v : gate) v = random_.Below(4) ? random_.Float(90) : AnyFloat();
    for (float& v : up) v = AnyFloat();
    reference::SwiGlu(gate.data(), up.data(), size, y0.data());
    kernels().swiglu(gate.data(), up.data(), size, y1.data());
    ExpectSameBits(y0, y1, "y");
  }
}

// Around the gate of which the exponential is the smallest normal number, and
// far beyond it.
TEST_P(KernelEquality, SwiGluWherePowersEnd) {
  constexpr uint32_t kSize = 4096;
  Aligned<float> gate(kSize), up(kSize), y0(kSize), y1(kSize);
  for (uint32_t i = 0; i < kSize; ++i) {
    const float size =
        i % 16 == 0 ? 0x1p+49f : 86.5f + static_cast<float>(i) / 2048;
    gate[i] = i % 3 == 0 ? size : -size;
    up[i] = i % 5 == 0 ? 0x1p+100f : random_.Float(0x1p+49f);
  }
  reference::SwiGlu(gate.data(), up.data(), kSize, y0.data());
  kernels().swiglu(gate.data(), up.data(), kSize, y1.data());
  ExpectSameBits(y0, y1, "y");
}

// The sum of squares overflows, so that everything becomes 0.
TEST_P(KernelEquality, RmsNormOfTheLargestStream) {
  Aligned<float> x(576), weight(576), y0(576), y1(576);
  for (float& v : x) v = random_.Float(0x1p+84f);
  for (float& v : weight) v = random_.Float(0x1p+16f);
  reference::RmsNorm(x.data(), weight.data(), 576, 1e-5f, y0.data());
  kernels().rms_norm(x.data(), weight.data(), 576, 1e-5f, y1.data());
  ExpectSameBits(y0, y1, "y");
  EXPECT_EQ(y0[0], 0.0f);
}

TEST_P(KernelEquality, GeGlu) {
  for (const uint32_t size : {1u, 15u, 16u, 64u, 100u, 2048u}) {
    Aligned<float> gate(size), up(size), y0(size), y1(size);
    for (float& v : gate) v = random_.Below(4) ? random_.Float(20) : AnyFloat();
    for (float& v : up) v = AnyFloat();
    reference::GeGlu(gate.data(), up.data(), size, y0.data());
    kernels().geglu(gate.data(), up.data(), size, y1.data());
    ExpectSameBits(y0, y1, "y");
  }
}

TEST_P(KernelEquality, LowRankProducts) {
  for (const uint32_t cols : {64u, 128u, 576u, 1536u}) {
    Aligned<float> a(size_t{kLearningRank} * cols), x(cols), scales(cols / 64);
    Aligned<int8_t> values(cols);
    for (float& v : a) v = random_.Float(1.0f);
    for (float& v : x) v = AnyFloat();
    for (int8_t& v : values) v = AnyInt8();
    for (float& v : scales) v = std::abs(AnyFloat());
    Aligned<float> u0(kLearningRank), u1(kLearningRank);
    reference::LowRankDown(a.data(), cols, x.data(), u0.data());
    kernels().learning->low_rank_down(a.data(), cols, x.data(), u1.data());
    ExpectSameBits(u0, u1, "u");
    reference::QuantizedLowRankDown(a.data(), cols, values.data(),
                                    scales.data(), u0.data());
    kernels().learning->quantized_low_rank_down(a.data(), cols, values.data(),
                                                scales.data(), u1.data());
    ExpectSameBits(u0, u1, "u of integers");
    for (const uint32_t part : {16u, 32u, cols}) {
      Aligned<float> y0(part), y1(part);
      for (uint32_t i = 0; i < part; ++i) y0[i] = y1[i] = AnyFloat();
      reference::AddLowRank(a.data(), cols, u0.data(), part, y0.data());
      kernels().learning->add_low_rank(a.data(), cols, u0.data(), part,
                                       y1.data());
      ExpectSameBits(y0, y1, "y");
    }
  }
}

TEST_P(KernelEquality, AddOuter) {
  for (const uint32_t rows : {1u, 2u, 7u, 40u}) {
    for (const uint32_t cols : {16u, 48u, 256u}) {
      const uint32_t stride = cols + 16;
      Aligned<float> e(size_t{rows} * kLearningRank), x(size_t{rows} * stride);
      for (float& v : e) v = AnyFloat();
      for (float& v : x) v = random_.Float(3.0f);
      Aligned<float> g0(size_t{kLearningRank} * stride);
      Aligned<float> g1(g0.size());
      for (size_t i = 0; i < g0.size(); ++i) g0[i] = g1[i] = AnyFloat();
      reference::AddOuter(e.data(), x.data(), stride, rows, cols, g0.data(),
                          stride);
      kernels().learning->add_outer(e.data(), x.data(), stride, rows, cols,
                                    g1.data(), stride);
      ExpectSameBits(g0, g1, "gradient");
    }
  }
}

TEST_P(KernelEquality, TransposedGroups) {
  for (int i = 0; i < 20; ++i) {
    const size_t stride = 64 * (4 + random_.Below(3));
    Aligned<int8_t> in(kPanelRows * kGroupSize), out0(4 * stride),
        out1(4 * stride);
    Aligned<float> factors(kPanelRows);
    for (int8_t& v : in) v = AnyInt8();
    for (float& v : factors) v = std::min(std::abs(random_.Float(1.2f)), 1.0f);
    reference::TransposeGroup(in.data(), factors.data(), stride, out0.data());
    kernels().learning->transpose_group(in.data(), factors.data(), stride,
                                        out1.data());
    ExpectSameBits(out0, out1, "transposed");
  }
}

TEST_P(KernelEquality, GatesBackward) {
  for (const uint32_t size : {16u, 48u, 1536u}) {
    Aligned<float> gate(size), up(size), dy(size);
    Aligned<float> g0(size), g1(size), u0(size), u1(size);
    for (float& v : gate)
      v = random_.Below(3) > 0 ? random_.Float(8.0f) : AnyFloat();
    for (float& v : up) v = AnyFloat();
    for (float& v : dy) v = random_.Float(1.0f);
    reference::SwiGluBackward(gate.data(), up.data(), dy.data(), size,
                              g0.data(), u0.data());
    kernels().learning->swiglu_backward(gate.data(), up.data(), dy.data(), size,
                                        g1.data(), u1.data());
    ExpectSameBits(g0, g1, "SwiGlu's gate");
    ExpectSameBits(u0, u1, "SwiGlu's up");
    reference::GeGluBackward(gate.data(), up.data(), dy.data(), size, g0.data(),
                             u0.data());
    kernels().learning->geglu_backward(gate.data(), up.data(), dy.data(), size,
                                       g1.data(), u1.data());
    ExpectSameBits(g0, g1, "GeGlu's gate");
    ExpectSameBits(u0, u1, "GeGlu's up");
  }
}

TEST_P(KernelEquality, RmsNormBackward) {
  for (const uint32_t dim : {16u, 64u, 576u}) {
    for (int round = 0; round < 10; ++round) {
      Aligned<float> x(dim), weight(dim), dy(dim);
      Aligned<float> dx0(dim), dx1(dim), dw0(dim), dw1(dim);
      for (float& v : x) v = round % 2 == 0 ? random_.Float(3.0f) : AnyFloat();
      for (float& v : weight) v = random_.Float(2.0f);
      for (float& v : dy) v = random_.Float(1.0f);
      for (uint32_t i = 0; i < dim; ++i) dx0[i] = dx1[i] = AnyFloat();
      reference::RmsNormBackward(x.data(), weight.data(), dy.data(), dim, 1e-5f,
                                 dx0.data(), dw0.data());
      kernels().learning->rms_norm_backward(x.data(), weight.data(), dy.data(),
                                            dim, 1e-5f, dx1.data(), dw1.data());
      ExpectSameBits(dx0, dx1, "dx");
      ExpectSameBits(dw0, dw1, "dweight");
    }
  }
}

TEST_P(KernelEquality, MoveWeights) {
  const AdamStep step = {0.01f, 7.0f, 16.0f};
  constexpr uint32_t kSize = 160;
  Aligned<float> m0(kSize), v0(kSize), w0(kSize), m1(kSize), v1(kSize);
  Aligned<float> w1(kSize), g(kSize);
  for (uint32_t i = 0; i < kSize; ++i) w0[i] = w1[i] = random_.Float(20.0f);
  for (int round = 0; round < 20; ++round) {
    for (float& x : g) {
      x = round == 9 ? random_.Float(0x1p+90f) : AnyFloat();
    }
    reference::MoveWeights(step, g.data(), kSize, m0.data(), v0.data(),
                           w0.data());
    kernels().learning->move_weights(step, g.data(), kSize, m1.data(),
                                     v1.data(), w1.data());
    ExpectSameBits(m0, m1, "first moments");
    ExpectSameBits(v0, v1, "second moments");
    ExpectSameBits(w0, w1, "weights");
  }
}

TEST_P(KernelEquality, AttentionScores) {
  for (const uint32_t head_dim : {16u, 32u, 64u, 80u, 128u, 192u, 256u}) {
    for (const uint32_t num_rows :
         {1u, 2u, 3u, 4u, 8u, 9u, 12u, 13u, 24u, 48u}) {
      const uint32_t panels = 1 + random_.Below(5);
      Aligned<int8_t> k(size_t{panels} * kPanelRows * head_dim);
      Aligned<float> k_scales(size_t{panels} * kPanelRows);
      Aligned<int8_t> q(size_t{num_rows} * head_dim);
      Aligned<float> q_scales(num_rows);
      Aligned<int32_t> q_starts(num_rows, 0);
      const bool extreme = random_.Below(3) == 0;
      Aligned<int8_t> k_low(k.size());
      for (int8_t& v : k) v = extreme ? int8_t{127} : AnyInt8();
      for (int8_t& v : k_low) {
        v = extreme ? int8_t{63}
                    : static_cast<int8_t>(static_cast<int>(random_.Below(128)) -
                                          64);
      }
      for (int8_t& v : q) v = extreme ? int8_t{-127} : AnyInt8();
      for (float& v : k_scales) v = std::abs(AnyFloat());
      for (float& v : q_scales) v = std::abs(random_.Float(1.0f));
      for (size_t i = 0; i < q.size(); ++i)
        q_starts[i / head_dim] -= 128 * q[i];
      const QuantizedRows queries{q.data(), q_scales.data(), q_starts.data(),
                                  num_rows, head_dim,        1};
      const size_t stride = panels * kPanelRows + 16;
      for (const int8_t* low : {static_cast<int8_t*>(nullptr), k_low.data()}) {
        const KeyPanels keys{k.data(), low, k_scales.data(), panels, head_dim};
        Aligned<float> s0(num_rows * stride), s1(num_rows * stride);
        reference::AttentionScores(keys, queries, s0.data(), stride);
        kernels().attention_scores(keys, queries, s1.data(), stride);
        ExpectSameBits(s0, s1, "scores");
      }
    }
  }
}

TEST_P(KernelEquality, AttentionWeights) {
  for (int round = 0; round < 60; ++round) {
    const uint32_t n = 16 * (1 + random_.Below(80));
    Aligned<float> s0(n), s1(n), v_scales(n);
    const float spread = round % 3 == 0 ? 0.5f : round % 3 == 1 ? 10.0f : 60.0f;
    for (float& v : s0) {
      v = random_.Below(16) == 0 ? kMaskedScore : random_.Float(spread);
    }
    s0[random_.Below(n)] = spread;
    for (float& v : v_scales) {
      v = random_.Below(10) == 0 ? 0.0f : std::abs(random_.Float(0.1f));
    }
    if (round == 5) std::fill(v_scales.begin(), v_scales.end(), 0.0f);
    if (round == 6) std::fill(v_scales.begin(), v_scales.end(), 0x1p-67f);
    std::copy(s0.begin(), s0.end(), s1.begin());
    Aligned<uint8_t> hi0(n), hi1(n), lo0(n), lo1(n);
    const float r0 = reference::AttentionWeights(s0.data(), v_scales.data(), n,
                                                 hi0.data(), lo0.data());
    const float r1 = kernels().attention_weights(s1.data(), v_scales.data(), n,
                                                 hi1.data(), lo1.data());
    ExpectSameBits(hi0, hi1, "weights_hi");
    ExpectSameBits(lo0, lo1, "weights_lo");
    EXPECT_EQ(std::bit_cast<uint32_t>(r0), std::bit_cast<uint32_t>(r1));
  }
}

TEST_P(KernelEquality, WeightedValueSums) {
  for (const uint32_t head_dim : {16u, 32u, 64u, 80u, 128u, 192u, 256u}) {
    for (const uint32_t num_queries : {1u, 2u, 3u, 4u, 8u, 9u, 13u, 24u}) {
      const uint32_t n = 4 * (1 + random_.Below(100));
      const size_t stride = n + 20;
      const bool extreme = random_.Below(3) == 0;
      Aligned<int8_t> values(size_t{n} * head_dim);
      Aligned<uint8_t> hi(num_queries * stride), lo(num_queries * stride);
      for (int8_t& v : values) v = extreme ? int8_t{-127} : AnyInt8();
      for (uint8_t& v : hi) {
        v = static_cast<uint8_t>(extreme ? 127 : random_.Below(128));
      }
      for (uint8_t& v : lo) {
        v = static_cast<uint8_t>(extreme ? 127 : random_.Below(128));
      }
      const size_t size = size_t{num_queries} * head_dim;
      Aligned<int32_t> h0(size, 11), h1(size, 11), l0(size, -5), l1(size, -5);
      const ValuePanels v{values.data(), n, head_dim};
      reference::WeightedValueSums(v, hi.data(), lo.data(), stride, num_queries,
                                   h0.data(), l0.data());
      kernels().weighted_value_sums(v, hi.data(), lo.data(), stride,
                                    num_queries, h1.data(), l1.data());
      ExpectSameBits(h0, h1, "sums_hi");
      ExpectSameBits(l0, l1, "sums_lo");
    }
  }
}

TEST_P(KernelEquality, JoinValueSums) {
  for (const uint32_t size : {16u, 64u, 80u, 256u}) {
    Aligned<int32_t> hi(size), lo(size);
    for (int32_t& v : hi)
      v = static_cast<int32_t>(random_.Below(1u << 30)) - (1 << 29);
    for (int32_t& v : lo)
      v = static_cast<int32_t>(random_.Below(1u << 30)) - (1 << 29);
    const float scale = std::abs(AnyFloat());
    Aligned<float> y0(size), y1(size);
    reference::JoinValueSums(hi.data(), lo.data(), scale, size, y0.data());
    kernels().join_value_sums(hi.data(), lo.data(), scale, size, y1.data());
    ExpectSameBits(y0, y1, "y");
  }
}

TEST_P(KernelEquality, TokenWeights) {
  for (const uint32_t n : {1u, 15u, 16u, 63u, 64u, 65u, 1000u, 5003u}) {
    for (const float spread : {0.01f, 15.0f, 300.0f}) {
      Aligned<float> logits(n);
      for (float& v : logits) v = random_.Float(spread);
      const size_t blocks = (n + kTokenBlock - 1) / kTokenBlock;
      Aligned<uint32_t> w0(n), w1(n);
      Aligned<uint64_t> b0(blocks), b1(blocks);
      reference::TokenWeights(logits.data(), n, w0.data(), b0.data());
      kernels().token_weights(logits.data(), n, w1.data(), b1.data());
      ExpectSameBits(w0, w1, "weights");
      ExpectSameBits(b0, b1, "block_sums");
    }
  }
}

std::vector<const KernelTable*> TestedKernels() {
  std::vector<const KernelTable*> tables(AllKernels().begin(),
                                         AllKernels().end());
#if defined(__x86_64__)
  tables.push_back(&kAmxModel);
#endif
  return tables;
}

#if defined(__x86_64__)
// Rows are enough for tiles, or not; the equality is tested above.
TEST(AmxModel, TilesAreUsedAsTheProcessorAllows) {
  if (!kAmxModel.is_supported()) GTEST_SKIP() << "needs AVX-512 VNNI";
  const auto products_of = [](uint32_t num_rows) {
    Aligned<int8_t> values(size_t{num_rows} * 64, int8_t{1});
    Aligned<int8_t> w_values(16 * 64, int8_t{2});
    Aligned<float> scales(64, 1.0f), y(size_t{num_rows} * 16);
    Aligned<int32_t> starts(num_rows, -128 * 64);
    const LinearWeights w = {w_values.data(), scales.data(), 16, 64};
    const QuantizedRows x = {
        values.data(), scales.data(), starts.data(), num_rows, 64, 1};
    const uint64_t before = CountsOfAmxModel().products;
    kAmxModel.matmul(w, 0, 1, x, y.data(), 16);
    EXPECT_EQ(y[y.size() - 1], 128.0f);
    return CountsOfAmxModel().products - before;
  };
  EXPECT_EQ(products_of(3), 0u);
  EXPECT_EQ(products_of(4), 1u);
  EXPECT_EQ(products_of(16), 1u);
  EXPECT_EQ(products_of(17), 2u);
  EXPECT_EQ(products_of(33), 3u);
  EXPECT_EQ(CountsOfAmxModel().faults, 0u);
}
#endif

INSTANTIATE_TEST_SUITE_P(AllKernels, KernelEquality,
                         testing::ValuesIn(TestedKernels()),
                         [](const auto& param_info) {
                           return std::string(param_info.param->name);
                         });

}  // namespace
}  // namespace llma
