// SPDX-License-Identifier: Apache-2.0
// Speed of every kernel table that this processor supports. Each figure is one
// of the best iterations, since machines are shared; the peak of the int8
// instructions is measured anew beside each matrix product and `share` is the
// part of it that was reached.
//   kernels_bench --benchmark_filter=avx512vnni/matmul
#include <benchmark/benchmark.h>
#include <time.h>

#include <algorithm>
#include <cstring>
#include <initializer_list>
#include <new>
#include <string>
#include <string_view>
#include <vector>

#include "kernels/int8_peak.h"
#include "kernels/kernel_table.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

// 64-byte aligned storage.
template <class T>
class Aligned {
 public:
  explicit Aligned(size_t size)
      : data_(static_cast<T*>(
            ::operator new (size * sizeof(T), std::align_val_t{64}))),
        size_(size) {
    std::memset(data_, 0, size * sizeof(T));
  }
  ~Aligned() { ::operator delete (data_, std::align_val_t{64}); }
  Aligned(const Aligned&) = delete;
  Aligned& operator=(const Aligned&) = delete;
  T* data() { return data_; }
  T* begin() { return data_; }
  T* end() { return data_ + size_; }

 private:
  T* data_;
  size_t size_;
};

void Fill(Aligned<int8_t>& values, TestRandom& random) {
  for (int8_t& v : values) v = random.Int8();
}
void Fill(Aligned<float>& values, TestRandom& random, float spread) {
  for (float& v : values) v = random.Float(spread);
}

// Processor time of this thread, which others on the machine disturb less.
double Now() {
  timespec time;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) +
         1e-9 * static_cast<double>(time.tv_nsec);
}

template <class Function>
double SecondsOf(Function function) {
  const double begin = Now();
  function();
  return Now() - begin;
}

// Of times that can only be too long, save for the clock's rare slips.
double Best(std::vector<double>& seconds) {
  const auto low = seconds.begin() + static_cast<long>(seconds.size() / 20);
  std::nth_element(seconds.begin(), low, seconds.end());
  return *low;
}

// Times `function` once an iteration.
template <class Function>
double BestSeconds(benchmark::State& state, Function function) {
  function();
  std::vector<double> all;
  for (auto _ : state) {
    all.push_back(SecondsOf(function));
    state.SetIterationTime(all.back());
  }
  return Best(all);
}

// Multiply-adds per second of the int8 instructions; 0 if not known.
double Int8Peak(const char* kernels) {
  uint64_t count = 0;
  std::vector<double> all;
  // Several loops at a time: one takes 12 us, of which the clock is a tenth.
  constexpr int kLoops = 20;
  for (int round = 0; round < 40; ++round) {
    all.push_back(SecondsOf([&] {
      for (int i = 0; i < kLoops; ++i) count = RunInt8PeakLoop(kernels);
    }));
  }
  return kLoops * static_cast<double>(count) / Best(all);
}

struct MatmulShape {
  uint32_t num_cols, num_rows;  // of W
};

void BenchMatmul(benchmark::State& state, const KernelTable& kernels,
                 MatmulShape shape, uint32_t num_rows) {
  TestRandom random(1);
  LinearWeights w;
  w.num_rows = shape.num_rows;
  w.num_cols = shape.num_cols;
  Aligned<int8_t> w_values(w.values_bytes());
  Aligned<float> w_scales(w.num_scales());
  Fill(w_values, random);
  Fill(w_scales, random, 1.0f);
  w.values = w_values.data();
  w.scales = w_scales.data();
  Aligned<int8_t> x_values(size_t{num_rows} * w.num_cols);
  Aligned<float> x_scales(size_t{num_rows} * w.num_groups());
  Aligned<int32_t> x_starts(size_t{num_rows} * w.num_groups());
  Fill(x_values, random);
  Fill(x_scales, random, 1.0f);
  for (size_t i = 0; i < size_t{num_rows} * w.num_cols; ++i) {
    x_starts.data()[i / kGroupSize] -= 128 * x_values.data()[i];
  }
  const QuantizedRows x{x_values.data(), x_scales.data(), x_starts.data(),
                        num_rows,        w.num_cols,      w.num_groups()};
  const size_t stride = size_t{w.num_panels()} * kPanelRows;
  Aligned<float> y(num_rows * stride);
  double peak = Int8Peak(kernels.name);
  const double seconds = BestSeconds(state, [&] {
    kernels.matmul(w, 0, w.num_panels(), x, y.data(), stride);
    benchmark::ClobberMemory();
  });
  peak = std::max(peak, Int8Peak(kernels.name));
  const double speed =
      static_cast<double>(num_rows) * shape.num_rows * shape.num_cols / seconds;
  state.counters["Gmadds"] = speed * 1e-9;
  if (peak > 0.0) {
    state.counters["peak"] = peak * 1e-9;
    state.counters["share"] = speed / peak;
  }
  state.counters["weights_GB"] =
      static_cast<double>(w.values_bytes() + w.num_scales() * sizeof(float)) /
      seconds * 1e-9;
}

constexpr uint32_t kNumPositions = 1024;
// Of rows of scores: not a multiple of 4 KB, as in attention.cc.
constexpr uint32_t kScoreStride = kNumPositions + 48;
constexpr uint32_t kHeadDim = 64;

void BenchAttentionScores(benchmark::State& state, const KernelTable& kernels,
                          uint32_t num_queries) {
  TestRandom random(2);
  Aligned<int8_t> key_values(kNumPositions * kHeadDim);
  Aligned<float> key_scales(kNumPositions);
  Aligned<int8_t> q_values(num_queries * kHeadDim);
  Aligned<float> q_scales(num_queries);
  Aligned<int32_t> q_starts(num_queries);
  Aligned<float> scores(num_queries * kScoreStride);
  Fill(key_values, random);
  Fill(q_values, random);
  const KeyPanels keys{key_values.data(), nullptr, key_scales.data(),
                       kNumPositions / kPanelRows, kHeadDim};
  const QuantizedRows q{q_values.data(), q_scales.data(), q_starts.data(),
                        num_queries,     kHeadDim,        1};
  const double seconds = BestSeconds(state, [&] {
    kernels.attention_scores(keys, q, scores.data(), kScoreStride);
    benchmark::ClobberMemory();
  });
  state.counters["Gmadds"] = static_cast<double>(num_queries) * kNumPositions *
                             kHeadDim / seconds * 1e-9;
}

void BenchAttentionWeights(benchmark::State& state, const KernelTable& kernels,
                           uint32_t num_queries) {
  TestRandom random(3);
  Aligned<float> given(num_queries * kNumPositions);
  Aligned<float> scores(num_queries * kNumPositions);
  Aligned<float> v_scales(kNumPositions);
  Aligned<uint8_t> hi(kNumPositions), lo(kNumPositions);
  Fill(given, random, 10.0f);
  for (float& v : v_scales) v = 0.5f + random.Float(0.1f);
  const double seconds = BestSeconds(state, [&] {
    // The scores are overwritten; copying them is a few percent of the whole.
    std::memcpy(scores.data(), given.data(),
                num_queries * kNumPositions * sizeof(float));
    for (uint32_t i = 0; i < num_queries; ++i) {
      benchmark::DoNotOptimize(kernels.attention_weights(
          scores.data() + i * kNumPositions, v_scales.data(), kNumPositions,
          hi.data(), lo.data()));
    }
  });
  state.counters["Gpositions"] =
      static_cast<double>(num_queries) * kNumPositions / seconds * 1e-9;
}

void BenchWeightedValueSums(benchmark::State& state, const KernelTable& kernels,
                            uint32_t num_queries) {
  TestRandom random(4);
  Aligned<int8_t> values(kNumPositions * kHeadDim);
  Aligned<uint8_t> hi(num_queries * kNumPositions);
  Aligned<uint8_t> lo(num_queries * kNumPositions);
  Aligned<int32_t> sums_hi(num_queries * kHeadDim);
  Aligned<int32_t> sums_lo(num_queries * kHeadDim);
  Fill(values, random);
  for (uint8_t& v : hi) v = static_cast<uint8_t>(random.Below(128));
  for (uint8_t& v : lo) v = static_cast<uint8_t>(random.Below(128));
  const ValuePanels v{values.data(), kNumPositions, kHeadDim};
  const double seconds = BestSeconds(state, [&] {
    std::memset(sums_hi.data(), 0, num_queries * kHeadDim * sizeof(int32_t));
    std::memset(sums_lo.data(), 0, num_queries * kHeadDim * sizeof(int32_t));
    kernels.weighted_value_sums(v, hi.data(), lo.data(), kNumPositions,
                                num_queries, sums_hi.data(), sums_lo.data());
    benchmark::ClobberMemory();
  });
  state.counters["Gmadds"] =
      2.0 * num_queries * kNumPositions * kHeadDim / seconds * 1e-9;
}

void BenchTokenWeights(benchmark::State& state, const KernelTable& kernels) {
  constexpr uint32_t kNumTokens = 49152;
  TestRandom random(5);
  Aligned<float> logits(kNumTokens);
  Aligned<uint32_t> weights(kNumTokens);
  Aligned<uint64_t> block_sums(kNumTokens / kTokenBlock);
  Fill(logits, random, 15.0f);
  const double seconds = BestSeconds(state, [&] {
    kernels.token_weights(logits.data(), kNumTokens, weights.data(),
                          block_sums.data());
    benchmark::ClobberMemory();
  });
  state.counters["Gtokens"] = kNumTokens / seconds * 1e-9;
}

// Rows of 576 floats, as one layer has them.
void BenchElementwise(benchmark::State& state, const KernelTable& kernels,
                      std::string_view name) {
  constexpr uint32_t kDim = 576, kNumRows = 16;
  TestRandom random(6);
  Aligned<float> a(kDim * kNumRows), b(kDim * kNumRows), y(kDim * kNumRows);
  Aligned<int32_t> high(kDim), low(kDim), starts(kDim);
  Aligned<int8_t> values(kDim);
  Fill(a, random, 4.0f);
  Fill(b, random, 4.0f);
  const double seconds = BestSeconds(state, [&] {
    for (uint32_t i = 0; i < kNumRows; ++i) {
      const float* x = a.data() + i * kDim;
      float* out = y.data() + i * kDim;
      if (name == "quantize_row") {
        kernels.quantize_row(x, kDim, kGroupSize, values.data(), out,
                             starts.data());
      } else if (name == "rms_norm") {
        kernels.rms_norm(x, b.data(), kDim, 1e-5f, out);
      } else if (name == "swiglu") {
        kernels.swiglu(x, b.data(), kDim, out);
      } else if (name == "geglu") {
        kernels.geglu(x, b.data(), kDim, out);
      } else {
        kernels.join_value_sums(high.data(), low.data(), 0.5f, kDim, out);
      }
    }
    benchmark::ClobberMemory();
  });
  state.counters["Gvalues"] = kDim * kNumRows / seconds * 1e-9;
}

std::string Join(std::initializer_list<std::string> parts) {
  std::string all;
  for (const std::string& part : parts) {
    if (!all.empty()) all += '/';
    all += part;
  }
  return all;
}

template <class... Args>
void Register(const std::string& name,
              void (*function)(benchmark::State&, const KernelTable&, Args...),
              const KernelTable& kernels, Args... args) {
  benchmark::RegisterBenchmark(name.c_str(),
                               [=, &kernels](benchmark::State& state) {
                                 function(state, kernels, args...);
                               })
      ->UseManualTime()
      ->MinTime(0.1)
      ->Unit(benchmark::kMicrosecond);
}

void RegisterTable(const KernelTable& kernels) {
  const bool is_slow = std::string_view(kernels.name) == "scalar";
  for (const MatmulShape shape :
       {MatmulShape{576, 960}, MatmulShape{576, 3072}, MatmulShape{1536, 576},
        MatmulShape{576, 49152}}) {
    for (const uint32_t num_rows :
         {1u, 2u, 3u, 4u, 8u, 12u, 16u, 24u, 32u, 64u, 256u}) {
      if (is_slow && size_t{num_rows} * shape.num_rows > 100000) continue;
      Register(Join({kernels.name, "matmul",
                     std::to_string(shape.num_cols) + "x" +
                         std::to_string(shape.num_rows),
                     std::to_string(num_rows)}),
               BenchMatmul, kernels, shape, num_rows);
    }
  }
  for (const uint32_t num_queries : {3u, 8u, 24u}) {
    const std::string queries = std::to_string(num_queries);
    Register(Join({kernels.name, "attention_scores", queries}),
             BenchAttentionScores, kernels, num_queries);
    Register(Join({kernels.name, "attention_weights", queries}),
             BenchAttentionWeights, kernels, num_queries);
    Register(Join({kernels.name, "weighted_value_sums", queries}),
             BenchWeightedValueSums, kernels, num_queries);
  }
  Register(Join({kernels.name, "token_weights"}), BenchTokenWeights, kernels);
  for (const std::string_view name :
       {"quantize_row", "rms_norm", "swiglu", "geglu", "join_value_sums"}) {
    Register(Join({kernels.name, std::string(name)}), BenchElementwise, kernels,
             name);
  }
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  for (const llma::KernelTable* table : llma::AllKernels()) {
    if (table->is_supported()) llma::RegisterTable(*table);
  }
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 1;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return 0;
}
