// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu_engine.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "base/aligned_buffer.h"
#include "model/forward.h"
#include "model/kv_cache.h"

namespace llma {
namespace {

static_assert(kMaxTreeTokens <= kMaxQueryPositions);

// How many of an encoder's rows have logits at a time: 49,152 logits are
// 197 KB.
// Where that is not too much, each thread computes those of many rows by itself
// and turns them into probabilities; else all threads compute those of some
// rows.
constexpr uint32_t kSharedLogitRows = 32;
// Less where addresses are few.
constexpr bool kHasLargeMemory = sizeof(size_t) >= 8;
constexpr uint32_t kMinOwnLogitRows = kHasLargeMemory ? 32 : 16;
constexpr uint32_t kMaxOwnLogitRows = 64;
// Of all threads.
constexpr size_t kOwnLogitBytes = size_t{kHasLargeMemory ? 32 : 6} << 20;

// Rows for each thread; 0: threads share some.
uint32_t OwnLogitRows(size_t stride, int num_threads) {
  const size_t rows = kOwnLogitBytes / (stride * sizeof(float)) /
                      static_cast<size_t>(num_threads);
  return rows < kMinOwnLogitRows
             ? 0
             : static_cast<uint32_t>(std::min<size_t>(rows, kMaxOwnLogitRows));
}

// Whether threads have rows of their own in a pass of this many.
bool UsesOwnRows(uint32_t own_rows, int num_threads, uint32_t num_rows) {
  return own_rows > 0 &&
         num_rows >= static_cast<uint32_t>(num_threads) * kMinOwnLogitRows;
}

// Of all threads together, for passes of at most `num_rows` rows.
uint32_t LogitRows(uint32_t own_rows, int num_threads, uint32_t num_rows) {
  const uint32_t shared_rows = std::min(kSharedLogitRows, num_rows);
  return UsesOwnRows(own_rows, num_threads, num_rows)
             ? std::max(shared_rows,
                        own_rows * static_cast<uint32_t>(num_threads))
             : shared_rows;
}

// For the keys and values of a stream with so much content. Few positions touch
// little of each large page, all over the cache.
PageSource KeyValuePages(uint64_t content_bytes, PageCache* cache) {
  constexpr uint64_t kMinLargeBytes = 4096;
  return {content_bytes < kMinLargeBytes ? PageSize::kSmall : PageSize::kLarge,
          cache};
}

struct CpuStreamStart : StreamStart {
  explicit CpuStreamStart(KvCache of) : cache(std::move(of)) {}
  KvCache cache;
};

// The forward pass over the streams of a session.
class Streams {
 public:
  Streams(const Model& model, const KernelTable& kernels,
          const SessionOptions& options)
      : forward_(model, kernels, options.pool, options.shape.max_rows(),
                 options.shape.window_positions) {
    LLMA_DCHECK(options.stream_bytes.size() == options.shape.num_streams);
    forward_.set_clock(options.clock);
    caches_.reserve(options.shape.num_streams);
    for (const uint64_t bytes : options.stream_bytes) {
      caches_.emplace_back(model.config(), options.shape.window_positions,
                           options.shape.max_run_tokens,
                           KeyValuePages(bytes, options.pages));
      if (options.start == nullptr) continue;
      caches_.back().StartAs(
          static_cast<const CpuStreamStart*>(options.start)->cache);
    }
  }

  static uint64_t SizeBytes(const ModelConfig& config,
                            const SessionShape& shape, int num_threads) {
    return ForwardPass::SizeBytes(config, shape.max_rows(),
                                  shape.window_positions, num_threads) +
           shape.num_streams * KvCache::SizeBytes(config,
                                                  shape.window_positions,
                                                  shape.max_run_tokens);
  }

  void Run(std::span<const StreamTokens> batch) {
    batch_.clear();
    for (const StreamTokens& rows : batch) {
      batch_.push_back({&caches_[rows.stream], rows.tokens, rows.parents});
    }
    forward_.Run(batch_);
  }
  ForwardPass& forward() { return forward_; }
  KvCache& cache(uint32_t stream) { return caches_[stream]; }
  std::shared_ptr<const StreamStart> Share(uint32_t stream, const Model& model,
                                           uint32_t window_positions) const {
    KvCache copy(model.config(), window_positions, 1);
    copy.StartAs(caches_[stream]);
    return std::make_shared<CpuStreamStart>(std::move(copy));
  }

 private:
  ForwardPass forward_;
  std::vector<KvCache> caches_;     // [stream]
  std::vector<StreamBatch> batch_;  // of the last Run
};

class CpuEncodeSession : public EncodeSession {
 public:
  CpuEncodeSession(const Engine& engine, const KernelTable& kernels,
                   const SessionOptions& options)
      : model_(engine.model()),
        index_(engine.index()),
        kernels_(kernels),
        pool_(options.pool),
        window_positions_(options.shape.window_positions),
        streams_(engine.model(), kernels, options),
        stride_(streams_.forward().logits_stride()),
        own_logit_rows_(OwnLogitRows(stride_, pool_.num_threads())),
        logits_(LogitRows(own_logit_rows_, pool_.num_threads(),
                          options.shape.max_rows()) *
                stride_) {
    for (int i = 0; i < pool_.num_threads(); ++i) {
      masses_.emplace_back(engine.model().tokens().num_tokens());
    }
  }

  Status Run(std::span<const StreamTokens> batch,
             std::span<const uint32_t> targets,
             std::span<std::vector<Probability>> paths,
             const MassesCallback& on_masses) override {
    ForwardPass& forward = streams_.forward();
    streams_.Run(batch);
    const auto record = [&](uint32_t row, const float* logits, int thread_idx) {
      TokenMasses& masses = masses_[thread_idx];
      masses.Set(kernels_, logits);
      paths[row].clear();
      RecordWalk(index_, masses, targets[row], paths[row]);
      if (on_masses) on_masses(row, masses);
    };
    const auto num_rows = static_cast<uint32_t>(targets.size());
    const auto threads = static_cast<uint32_t>(pool_.num_threads());
    if (UsesOwnRows(own_logit_rows_, pool_.num_threads(), num_rows)) {
      forward.CountLogits(num_rows);
      const uint32_t round = threads * own_logit_rows_;
      const uint32_t tasks = (num_rows + round - 1) / round * threads;
      pool_.ParallelFor(tasks, [&](size_t i, int thread_idx) {
        const auto task = static_cast<uint32_t>(i);
        const uint32_t begin = num_rows * task / tasks;
        const uint32_t end = num_rows * (task + 1) / tasks;
        float* logits = logits_.data() + static_cast<size_t>(thread_idx) *
                                             own_logit_rows_ * stride_;
        forward.ComputeOwnLogits(begin, end - begin, logits, thread_idx);
        for (uint32_t row = begin; row < end; ++row) {
          record(row, logits + (row - begin) * stride_, thread_idx);
        }
      });
      return OkStatus();
    }
    for (uint32_t row = 0; row < num_rows; row += kSharedLogitRows) {
      const uint32_t count = std::min(kSharedLogitRows, num_rows - row);
      forward.ComputeLogits(row, count, logits_.data());
      pool_.ParallelFor(count, [&](size_t i, int thread_idx) {
        record(row + static_cast<uint32_t>(i), logits_.data() + i * stride_,
               thread_idx);
      });
    }
    return OkStatus();
  }

  Result<std::shared_ptr<const StreamStart>> Share(uint32_t stream) override {
    return streams_.Share(stream, model_, window_positions_);
  }

 private:
  const Model& model_;
  const TokenIndex& index_;
  const KernelTable& kernels_;
  ThreadPool& pool_;
  const uint32_t window_positions_;
  Streams streams_;
  const size_t stride_;
  const uint32_t own_logit_rows_;    // of each thread, or 0
  AlignedBuffer<float> logits_;      // [row, stride_]
  std::vector<TokenMasses> masses_;  // per thread
};

class CpuDecodeSession : public DecodeSession {
 public:
  CpuDecodeSession(const Engine& engine, const KernelTable& kernels,
                   const SessionOptions& options)
      : kernels_(kernels),
        streams_(engine.model(), kernels, options),
        logits_(options.shape.max_rows() * streams_.forward().logits_stride()),
        num_run_(options.shape.num_streams) {}

  Status Run(std::span<const StreamTokens> batch) override {
    streams_.Run(batch);
    uint32_t num_rows = 0;
    for (const StreamTokens& rows : batch) {
      const auto count = static_cast<uint32_t>(rows.tokens.size());
      num_run_[rows.stream] = count;
      num_rows += count;
    }
    streams_.forward().ComputeLogits(0, num_rows, logits_.data());
    return OkStatus();
  }

  void Weigh(uint32_t row, TokenMasses& masses) override {
    masses.Set(kernels_,
               logits_.data() + row * streams_.forward().logits_stride());
  }

  void Keep(uint32_t stream, std::span<const uint32_t> kept) override {
    streams_.cache(stream).Keep(num_run_[stream], kept);
  }

 private:
  const KernelTable& kernels_;
  Streams streams_;
  AlignedBuffer<float> logits_;    // [row, logits_stride]
  std::vector<uint32_t> num_run_;  // [stream]: tokens of the last Run
};

}  // namespace

Result<std::unique_ptr<EncodeSession>> CpuEngine::OpenEncoder(
    const SessionOptions& options) {
  return std::unique_ptr<EncodeSession>(
      std::make_unique<CpuEncodeSession>(*this, kernels_, options));
}

Result<std::unique_ptr<DecodeSession>> CpuEngine::OpenDecoder(
    const SessionOptions& options) {
  return std::unique_ptr<DecodeSession>(
      std::make_unique<CpuDecodeSession>(*this, kernels_, options));
}

uint64_t CpuEngine::EncoderBytes(const ModelConfig& config,
                                 const SessionShape& shape, int num_threads) {
  const uint64_t stride = ForwardPass::LogitsStride(config);
  return Streams::SizeBytes(config, shape, num_threads) +
         LogitRows(OwnLogitRows(ForwardPass::LogitsStride(config), num_threads),
                   num_threads, shape.max_rows()) *
             stride * sizeof(float) +
         static_cast<uint64_t>(num_threads) *
             TokenMasses::SizeBytes(config.num_tokens);
}

uint64_t CpuEngine::DecoderBytes(const ModelConfig& config,
                                 const SessionShape& shape, int num_threads) {
  return Streams::SizeBytes(config, shape, num_threads) +
         shape.max_rows() * ForwardPass::LogitsStride(config) * sizeof(float);
}

const EngineKind kCpuEngine = {
    .name = "cpu",
    .description = "processors of this machine",
    .max_encode_rows = CpuEngine::kEncodeRows,
    .is_supported = [] { return true; },
    .is_preferred = [] { return true; },
    .create = [](const Model& model, const KernelTable& kernels)
        -> Result<std::unique_ptr<Engine>> {
      return std::unique_ptr<Engine>(
          std::make_unique<CpuEngine>(model, kernels));
    },
    .encoder_bytes = CpuEngine::EncoderBytes,
    .decoder_bytes = CpuEngine::DecoderBytes,
};

}  // namespace llma
