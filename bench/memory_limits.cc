// SPDX-License-Identifier: Apache-2.0
// What memory leaves of two threads: matrix products of few rows, as a decoder
// with so many lanes makes them, with weights from memory and from the caches;
// and plain reading of the same memory. Best of several rounds, in G
// multiply-adds/s and GB/s of weights.
//
//   memory_limits [MIB [THREADS]]
//
// MIB: of weights, 512 unless said: many times what the caches hold, as
// weights, keys and values of all lanes together are in a pass.
// LLMA_KERNELS=name chooses the kernels.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/machine_limits.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "kernels/kernel_table.h"
#include "numerics/test_random.h"

namespace llma {
namespace {

// A gate and an up projection of the default model.
constexpr uint32_t kNumRows = 3072, kNumCols = 576;
constexpr uint32_t kMaxLanes = 16;
constexpr int kRounds = 12;

// Of the fastest round.
template <class Function>
double Seconds(const Function& function) {
  double best = 1e9;
  for (int i = 0; i < kRounds; ++i) {
    const auto start = std::chrono::steady_clock::now();
    function();
    best = std::min(best, std::chrono::duration<double>(
                              std::chrono::steady_clock::now() - start)
                              .count());
  }
  return best;
}

uint64_t Sum(const int8_t* begin, size_t size_bytes) {
  const auto* words = reinterpret_cast<const uint64_t*>(begin);
  uint64_t sum = 0;
  for (size_t i = 0; i < size_bytes / sizeof(uint64_t); ++i) sum += words[i];
  return sum;
}

class Weights {
 public:
  explicit Weights(size_t num_matrices)
      : values_(num_matrices * kValues), scales_(num_matrices * kScales) {
    TestRandom random(1);
    // The processor does not know them; one matrix is as good as another.
    for (size_t i = 0; i < kValues; ++i) values_[i] = random.Int8();
    for (size_t i = kValues; i < values_.size(); ++i) {
      values_[i] = values_[i - kValues];
    }
    std::fill_n(scales_.data(), scales_.size(), 0.01f);
  }
  LinearWeights At(size_t matrix) const {
    LinearWeights w;
    w.num_rows = kNumRows;
    w.num_cols = kNumCols;
    w.values = values_.data() + matrix * kValues;
    w.scales = scales_.data() + matrix * kScales;
    return w;
  }
  const AlignedBuffer<int8_t>& values() const { return values_; }

  static constexpr size_t kValues = size_t{kNumRows} * kNumCols;
  static constexpr size_t kScales = kValues / kGroupSize;

 private:
  AlignedBuffer<int8_t> values_;
  AlignedBuffer<float> scales_;
};

class Bench {
 public:
  Bench(const KernelTable& kernels, size_t num_matrices)
      : kernels_(kernels),
        weights_(num_matrices),
        num_matrices_(num_matrices),
        x_values_(size_t{kMaxLanes} * kNumCols),
        x_scales_(size_t{kMaxLanes} * kNumCols / kGroupSize),
        x_starts_(x_scales_.size()),
        y_(size_t{kMaxLanes} * kStride) {
    TestRandom random(2);
    for (size_t i = 0; i < x_values_.size(); ++i) x_values_[i] = random.Int8();
    std::fill_n(x_scales_.data(), x_scales_.size(), 0.01f);
  }

  // Bytes/s.
  double Read(ThreadPool& pool) {
    const size_t size = weights_.values().size();
    const auto threads = static_cast<size_t>(pool.num_threads());
    std::atomic<uint64_t> sum{0};
    const double seconds = Seconds([&] {
      pool.ParallelFor(threads, [&](size_t i) {
        const size_t begin = size * i / threads / 64 * 64;
        const size_t end = size * (i + 1) / threads / 64 * 64;
        sum += Sum(weights_.values().data() + begin, end - begin);
      });
    });
    return static_cast<double>(size) / seconds;
  }

  // Multiply-adds/s of `num_rows` rows with all matrices, or with the first
  // one again and again.
  double Multiply(ThreadPool& pool, uint32_t num_rows, bool from_memory) {
    const auto threads = static_cast<uint32_t>(pool.num_threads());
    const QuantizedRows x = {x_values_.data(), x_scales_.data(),
                             x_starts_.data(), num_rows,
                             kNumCols,         kNumCols / kGroupSize};
    const double seconds = Seconds([&] {
      // A thread has its panels of each matrix and waits for nobody.
      pool.ParallelFor(threads, [&](size_t i) {
        const auto thread = static_cast<uint32_t>(i);
        const uint32_t panels = kNumRows / kPanelRows / 2;
        for (size_t m = 0; m < num_matrices_; ++m) {
          kernels_.matmul(
              weights_.At(from_memory ? m : 0), panels * thread / threads * 2,
              panels * (thread + 1) / threads * 2, x, y_.data(), kStride);
        }
      });
    });
    return static_cast<double>(num_matrices_ * Weights::kValues * num_rows) /
           seconds;
  }

 private:
  static constexpr size_t kStride = kNumRows + 32;
  const KernelTable& kernels_;
  const Weights weights_;
  const size_t num_matrices_;
  AlignedBuffer<int8_t> x_values_;
  AlignedBuffer<float> x_scales_;
  AlignedBuffer<int32_t> x_starts_;
  AlignedBuffer<float> y_;
};

Status Run(int argc, char** argv) {
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  const int mib = argc > 1 ? std::atoi(argv[1]) : 512;
  const int max_threads = argc > 2 ? std::atoi(argv[2]) : NumProcessors();
  const size_t num_matrices =
      std::max<size_t>(1, (static_cast<size_t>(mib) << 20) / Weights::kValues);
  Bench bench(*kernels, num_matrices);
  std::printf("kernels: %s; %d MiB of weights\n", kernels->name, mib);
  std::printf("threads  read GB/s  rows  from memory (GB/s)  from caches\n");
  for (int threads = 1; threads <= max_threads; threads *= 2) {
    ThreadPool pool(threads);
    const double read = bench.Read(pool) * 1e-9;
    for (const uint32_t rows : {1u, 8u, 12u, 16u}) {
      const double far = bench.Multiply(pool, rows, true) * 1e-9;
      const double near = bench.Multiply(pool, rows, false) * 1e-9;
      std::printf("%7d  %9.1f  %4u  %11.0f (%4.1f)  %11.0f\n", threads, read,
                  rows, far, far / rows, near);
    }
  }
  return OkStatus();
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  const llma::Status status = llma::Run(argc, argv);
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
