// SPDX-License-Identifier: Apache-2.0
// The forward pass on the tiny model: its error against float64, and the same
// bits for every batch shape, thread count and kernel set.
#include "model/forward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <memory>

#include "base/checksum.h"
#include "numerics/test_random.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

const std::string kDataDir = LLMA_TEST_DATA_DIR;

class ForwardTest : public testing::Test {
 protected:
  void SetUp() override {
    auto model = Model::Open(kDataDir + "/tiny.llmm");
    ASSERT_TRUE(model) << model.error().what;
    model_ = *std::move(model);
  }

  std::vector<uint32_t> RandomTokens(uint32_t count, uint64_t seed) const {
    TestRandom random(seed);
    std::vector<uint32_t> tokens = {0};
    while (tokens.size() < count) {
      tokens.push_back(random.Below(model_->config().num_tokens));
    }
    return tokens;
  }

  ModelConfig Config() const {
    ModelConfig config = model_->config();
    config.window_shares = window_shares_;
    return config;
  }

  // Logits after each token, [token, num_tokens], fed `batch` at a time.
  std::vector<float> Logits(const std::vector<uint32_t>& tokens,
                            uint32_t window, uint32_t batch,
                            const char* kernels = "", int num_threads = 1) {
    ThreadPool pool(num_threads);
    const ModelConfig config = Config();
    ForwardPass forward(*model_, **FindKernels(kernels), pool, batch,
                        config.MaxHeadWindow(window));
    KvCache cache(config, window, batch);
    std::vector<float> all;
    for (size_t i = 0; i < tokens.size(); i += batch) {
      const size_t count = std::min<size_t>(batch, tokens.size() - i);
      const StreamBatch stream = {&cache, std::span(tokens).subspan(i, count)};
      forward.Run({&stream, 1});
      Append(forward, 0, static_cast<uint32_t>(count), all);
    }
    EXPECT_EQ(cache.num_positions(), tokens.size());
    return all;
  }

  void Append(ForwardPass& forward, uint32_t row, uint32_t count,
              std::vector<float>& all) {
    std::vector<float> logits(count * forward.logits_stride());
    forward.ComputeLogits(row, count, logits.data());
    for (uint32_t r = 0; r < count; ++r) {
      const auto begin =
          logits.begin() + static_cast<ptrdiff_t>(r * forward.logits_stride());
      all.insert(all.end(), begin, begin + model_->config().num_tokens);
    }
  }

  // [layer, kv head], by turns.
  void SetShares(std::initializer_list<uint8_t> shares) {
    const ModelConfig& config = model_->config();
    window_shares_.clear();
    for (uint32_t i = 0; i < config.num_layers * config.num_kv_heads; ++i) {
      window_shares_.push_back(shares.begin()[i % shares.size()]);
    }
  }

  std::unique_ptr<Model> model_;
  std::vector<uint8_t> window_shares_;
};

// Bits, not values: -0 and 0 differ.
std::vector<uint32_t> BitsOf(const std::vector<float>& values) {
  std::vector<uint32_t> bits(values.size());
  std::transform(values.begin(), values.end(), bits.begin(),
                 [](float v) { return std::bit_cast<uint32_t>(v); });
  return bits;
}

// tests/data/tiny_logits.bin, made by tests/reference/float64_reference.py,
// which describes it.
TEST_F(ForwardTest, CloseToFloat64) {
  auto file = ReadFile(kDataDir + "/tiny_logits.bin");
  ASSERT_TRUE(file);
  ByteReader in(*file);
  ASSERT_EQ(AsStringView(*in.Take(8)), "LLMAREF1");
  const uint32_t num_fed = *in.LoadU32();
  const uint32_t num_tokens = *in.LoadU32();
  const uint32_t num_cases = *in.LoadU32();
  ASSERT_EQ(num_tokens, model_->config().num_tokens);
  ASSERT_EQ(num_cases, 3u);
  std::vector<uint32_t> fed;
  for (uint32_t i = 0; i < num_fed; ++i) fed.push_back(*in.LoadU32());
  for (uint32_t c = 0; c < num_cases; ++c) {
    const bool is_int8 = *in.LoadU32() == 1;
    const uint32_t window = *in.LoadU32();
    EXPECT_EQ(*in.LoadU32(), window == 0 ? 0 : kNumSinks);
    const uint32_t num_positions = *in.LoadU32();
    std::vector<uint32_t> positions;
    for (uint32_t i = 0; i < num_positions; ++i) {
      positions.push_back(*in.LoadU32());
    }
    // The reference's start token may be another one than the importer's.
    const auto logits = Logits(fed, window == 0 ? 1024 : window, 16);
    double sum_sq = 0, worst = 0;
    for (const uint32_t pos : positions) {
      for (uint32_t v = 0; v < num_tokens; ++v) {
        const double exact = std::bit_cast<double>(*in.LoadU64());
        const double error =
            std::fabs(logits[size_t{pos} * num_tokens + v] - exact);
        sum_sq += error * error;
        worst = std::max(worst, error);
      }
    }
    const double rms =
        std::sqrt(sum_sq / static_cast<double>(positions.size() * num_tokens));
    // Logits have a standard deviation of 2.5.
    EXPECT_LT(rms, is_int8 ? 0.12 : 0.16) << "case " << c;
    EXPECT_LT(worst, 0.8) << "case " << c;
  }
}

TEST_F(ForwardTest, BatchShapesAndThreadsGiveTheSame) {
  const auto tokens = RandomTokens(150, 1);
  for (const uint32_t window : {16u, 48u, 512u}) {
    const auto expected = BitsOf(Logits(tokens, window, 1));
    for (const uint32_t batch : {2u, 3u, 16u, 17u, 64u, 150u}) {
      for (const int threads : {1, 2, 7}) {
        EXPECT_EQ(BitsOf(Logits(tokens, window, batch, "", threads)), expected)
            << "window " << window << ", batch " << batch << ", threads "
            << threads;
      }
    }
  }
}

TEST_F(ForwardTest, KernelsGiveTheSame) {
  const auto tokens = RandomTokens(90, 2);
  const auto expected = BitsOf(Logits(tokens, 32, 13, "scalar"));
  for (const KernelTable* table : AllKernels()) {
    if (!table->is_supported()) continue;
    for (const uint32_t batch : {13u, 90u}) {
      EXPECT_EQ(BitsOf(Logits(tokens, 32, batch, table->name)), expected)
          << table->name << ", batch " << batch;
    }
  }
}

TEST_F(ForwardTest, SharesOfAllHeadsAreASmallerOrLargerWindow) {
  const auto tokens = RandomTokens(150, 7);
  const auto expected = BitsOf(Logits(tokens, 32, 16));
  SetShares({8});
  EXPECT_EQ(BitsOf(Logits(tokens, 64, 16)), expected);
  SetShares({32});
  EXPECT_EQ(BitsOf(Logits(tokens, 16, 16)), expected);
  SetShares({16});
  EXPECT_EQ(BitsOf(Logits(tokens, 32, 16)), expected);
}

TEST_F(ForwardTest, SharesOfEachHeadCount) {
  const auto tokens = RandomTokens(150, 8);
  const auto whole = BitsOf(Logits(tokens, 160, 16));
  SetShares({8, 64, 20});
  EXPECT_EQ(BitsOf(Logits(tokens, 320, 16)), whole);  // all see everything
  const auto expected = BitsOf(Logits(tokens, 32, 1, "scalar"));
  for (const auto& other :
       {std::initializer_list<uint8_t>{8, 64, 16}, {8, 32, 20}, {4, 64, 20}}) {
    SetShares(other);
    EXPECT_NE(BitsOf(Logits(tokens, 32, 16)), expected);
  }
  SetShares({8, 64, 20});
  for (const KernelTable* table : AllKernels()) {
    if (!table->is_supported()) continue;
    for (const uint32_t batch : {1u, 3u, 17u, 150u}) {
      EXPECT_EQ(BitsOf(Logits(tokens, 32, batch, table->name, 2)), expected)
          << table->name << ", batch " << batch;
    }
  }
}

class StreamsTest : public ForwardTest,
                    public testing::WithParamInterface<uint32_t> {};

TEST_P(StreamsTest, BesideEachOtherGiveTheSame) {
  const uint32_t kWindow = 24, kStreams = 4, kTokens = 60;
  const uint32_t kBatch = GetParam();
  ThreadPool pool(2);
  ForwardPass forward(*model_, **FindKernels(""), pool, kBatch * kStreams,
                      kWindow);
  std::vector<KvCache> caches;
  std::vector<std::vector<uint32_t>> tokens;
  std::vector<std::vector<float>> together(kStreams);
  for (uint32_t s = 0; s < kStreams; ++s) {
    caches.emplace_back(model_->config(), kWindow, kBatch);
    tokens.push_back(RandomTokens(kTokens, 10 + s));
  }
  // Streams advance by different steps, and some rest.
  std::vector<uint32_t> done(kStreams, 0);
  TestRandom random(3);
  while (*std::min_element(done.begin(), done.end()) < kTokens) {
    std::vector<StreamBatch> batch;
    std::vector<uint32_t> owner;
    for (uint32_t s = 0; s < kStreams; ++s) {
      const uint32_t count =
          std::min(random.Below(kBatch + 1), kTokens - done[s]);
      if (count == 0) continue;
      batch.push_back(
          {&caches[s], std::span(tokens[s]).subspan(done[s], count)});
      owner.push_back(s);
      done[s] += count;
    }
    if (batch.empty()) continue;
    forward.Run(batch);
    uint32_t row = 0;
    for (size_t i = 0; i < batch.size(); ++i) {
      const auto count = static_cast<uint32_t>(batch[i].tokens.size());
      Append(forward, row, count, together[owner[i]]);
      row += count;
    }
  }
  for (uint32_t s = 0; s < kStreams; ++s) {
    EXPECT_EQ(BitsOf(together[s]), BitsOf(Logits(tokens[s], kWindow, 1)))
        << "stream " << s;
  }
}

// Few rows, whose products all threads share, and many, which they divide.
INSTANTIATE_TEST_SUITE_P(, StreamsTest, testing::Values(5, 45));

TEST_F(ForwardTest, RewoundPositionsLeaveNoTrace) {
  const uint32_t kWindow = 16, kBatch = 8;
  const auto tokens = RandomTokens(70, 4);
  const auto expected = BitsOf(Logits(tokens, kWindow, 1));
  ThreadPool pool(1);
  ForwardPass forward(*model_, **FindKernels(""), pool, kBatch, kWindow);
  KvCache cache(model_->config(), kWindow, kBatch);
  std::vector<float> all;
  TestRandom random(5);
  for (size_t i = 0; i < tokens.size();) {
    // One true token and seven wrong guesses, which are taken back.
    std::vector<uint32_t> guess = {tokens[i]};
    while (guess.size() < kBatch) {
      guess.push_back(random.Below(model_->config().num_tokens));
    }
    const StreamBatch stream = {&cache, guess};
    forward.Run({&stream, 1});
    Append(forward, 0, 1, all);
    cache.Keep(kBatch, std::vector<uint32_t>{0});
    ++i;
  }
  EXPECT_EQ(BitsOf(all), expected);
}

// Trees and other streams in one batch, of several windows, give what each
// gives alone.
TEST_F(ForwardTest, TreesBesideOtherStreamsGiveTheSame) {
  const uint32_t kMaxRows = 90, kBatch = 8;
  struct Stream {
    uint32_t window;
    std::vector<uint32_t> tokens, parents, kept;
  };
  std::vector<Stream> streams = {
      {16, {5, 6, 7, 8}, {0, 0, 0, 1}, {0, 1, 3}},
      {64, {9, 10, 11}, {}, {}},
      {5, {12, 13, 14}, {0, 0, 1}, {0}},
      {5, {15}, {}, {}},
  };
  // So that threads would take rows, not columns, if there were no trees.
  for (uint32_t i = 0; i < 70; ++i) streams.push_back({16, {20 + i}, {}, {}});
  const auto run = [&](const KernelTable& table, size_t joined) {
    ThreadPool pool(2);
    ForwardPass forward(*model_, table, pool, kMaxRows, 64);
    std::vector<float> all;
    std::vector<KvCache> caches;
    for (size_t i = 0; i < streams.size(); ++i) {
      caches.emplace_back(model_->config(), streams[i].window, kBatch);
      const auto start = RandomTokens(6 + static_cast<uint32_t>(i % 3), i);
      const StreamBatch batch = {&caches[i], start};
      forward.Run({&batch, 1});
    }
    // The tokens, and one more after those that stay.
    for (const bool is_second : {false, true}) {
      const uint32_t next = 3;
      for (size_t i = 0; i < streams.size(); i += joined) {
        std::vector<StreamBatch> batch;
        uint32_t num_rows = 0;
        for (size_t k = i; k < std::min(i + joined, streams.size()); ++k) {
          const Stream& of = streams[k];
          batch.push_back(is_second
                              ? StreamBatch{&caches[k], {&next, 1}}
                              : StreamBatch{&caches[k], of.tokens, of.parents});
          num_rows += static_cast<uint32_t>(batch.back().tokens.size());
        }
        forward.Run(batch);
        Append(forward, 0, num_rows, all);
      }
      for (size_t i = 0; i < streams.size() && !is_second; ++i) {
        const auto count = static_cast<uint32_t>(streams[i].tokens.size());
        if (!streams[i].kept.empty()) caches[i].Keep(count, streams[i].kept);
      }
    }
    return BitsOf(all);
  };
  const auto expected = run(**FindKernels("scalar"), 1);
  for (const KernelTable* table : AllKernels()) {
    if (!table->is_supported()) continue;
    for (const size_t joined : {size_t{1}, size_t{4}, streams.size()}) {
      EXPECT_EQ(run(*table, joined), expected) << table->name << " " << joined;
    }
  }
}

// Trees in which the true tokens are somewhere among wrong ones.
TEST_F(ForwardTest, TreesGiveTheSame) {
  const uint32_t kBatch = 12;
  const auto tokens = RandomTokens(120, 7);
  for (const uint32_t window : {5u, 16u, 64u, 80u}) {
    if (window == 80) SetShares({2, 20});  // 10 and 100 positions
    const ModelConfig config = Config();
    const auto expected = BitsOf(Logits(tokens, window, 1));
    for (const KernelTable* table : AllKernels()) {
      if (!table->is_supported()) continue;
      ThreadPool pool(2);
      ForwardPass forward(*model_, *table, pool, kBatch,
                          config.MaxHeadWindow(window));
      KvCache cache(config, window, kBatch);
      std::vector<float> all;
      const auto start = std::span(tokens).first(kNumSinks);
      const StreamBatch first = {&cache, start};
      forward.Run({&first, 1});
      Append(forward, 0, kNumSinks, all);
      TestRandom random(8);
      for (size_t i = kNumSinks; i < tokens.size();) {
        std::vector<uint32_t> fed = {tokens[i++]}, parents = {0}, path = {0};
        std::vector<uint32_t> depths = {0};
        while (fed.size() < kBatch) {
          const auto row = static_cast<uint32_t>(fed.size());
          // Follows one of the last two depths, so that depths do not fall.
          uint32_t parent = row - 1 - random.Below(std::min(row, 3u));
          while (depths[parent] + 1 < depths.back()) ++parent;
          const bool is_true = parent == path.back() && i < tokens.size() &&
                               random.Below(2) == 0;
          fed.push_back(is_true ? tokens[i++]
                                : random.Below(model_->config().num_tokens));
          parents.push_back(parent);
          depths.push_back(depths[parent] + 1);
          if (is_true) path.push_back(row);
        }
        const StreamBatch stream = {&cache, fed, parents};
        forward.Run({&stream, 1});
        for (const uint32_t row : path) Append(forward, row, 1, all);
        cache.Keep(kBatch, path);
      }
      EXPECT_EQ(cache.num_positions(), tokens.size());
      EXPECT_EQ(BitsOf(all), expected) << table->name << ", window " << window;
    }
  }
}

// Any change of the numerics, on any machine, changes this number. Then
// kPredictorId must change too.
TEST_F(ForwardTest, Golden) {
  const auto logits = Logits(RandomTokens(100, 6), 32, 10);
  ByteWriter writer;
  for (const float l : logits) writer.StoreF32(l);
  EXPECT_EQ(Xxh3(writer.bytes()), 6022531968972311778u);
}

}  // namespace
}  // namespace llma
