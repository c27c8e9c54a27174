// SPDX-License-Identifier: Apache-2.0
#include "engine/cpu_engine.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include "base/aligned_buffer.h"
#include "engine/meeting_point.h"
#include "model/forward.h"
#include "model/kv_cache.h"
#include "model/learner.h"

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

std::vector<KvCache> MakeCaches(const ModelConfig& config,
                                const SessionOptions& options) {
  const SessionShape& shape = options.shape;
  LLMA_DCHECK(options.stream_bytes.size() == shape.num_streams);
  std::vector<KvCache> caches;
  caches.reserve(shape.num_streams);
  for (const uint64_t bytes : options.stream_bytes) {
    caches.emplace_back(config, shape.window_positions, shape.max_run_tokens,
                        KeyValuePages(bytes, options.pages));
    if (options.start == nullptr) continue;
    caches.back().StartAs(
        static_cast<const CpuStreamStart*>(options.start)->cache);
  }
  return caches;
}

// What a batch of a session is to the forward pass.
void SetStreams(std::span<const StreamTokens> batch,
                std::vector<KvCache>& caches,
                std::vector<StreamBatch>& streams) {
  streams.clear();
  for (const StreamTokens& rows : batch) {
    streams.push_back({&caches[rows.stream], rows.tokens, rows.parents});
  }
}

// A forward pass and caches for the streams of a session.
uint64_t StreamsBytes(const ModelConfig& config, const SessionShape& shape,
                      int num_threads) {
  return ForwardPass::SizeBytes(config, shape.max_rows(),
                                shape.window_positions, num_threads) +
         shape.num_streams * KvCache::SizeBytes(config, shape.window_positions,
                                                shape.max_run_tokens);
}

class CpuEncodeSession : public EncodeSession {
 public:
  CpuEncodeSession(const Engine& engine, const KernelTable& kernels,
                   const SessionOptions& options)
      : model_(engine.model()),
        index_(engine.index()),
        kernels_(kernels),
        pool_(options.pool),
        clock_(options.clock),
        window_positions_(options.shape.window_positions),
        forward_(engine.model(), kernels, options.pool,
                 options.shape.max_rows(), options.shape.window_positions),
        caches_(MakeCaches(engine.model().config(), options)),
        stride_(forward_.logits_stride()),
        own_logit_rows_(OwnLogitRows(stride_, pool_.num_threads())),
        logits_(LogitRows(own_logit_rows_, pool_.num_threads(),
                          options.shape.max_rows()) *
                stride_) {
    forward_.set_clock(options.clock);
    if (options.learns) {
      learner_.emplace(engine.model(), kernels, options.pool);
      forward_.set_learning(&learner_->weights(), &learner_->records(),
                            nullptr);
    }
    for (int i = 0; i < pool_.num_threads(); ++i) {
      masses_.emplace_back(engine.model().tokens().num_tokens());
    }
  }

  Status Run(std::span<const StreamTokens> batch,
             std::span<const uint32_t> targets,
             std::span<std::vector<Probability>> paths,
             const MassesCallback& on_masses) override {
    SetStreams(batch, caches_, streams_);
    forward_.Run(streams_);
    const auto record = [&](uint32_t row, const float* logits, int thread_idx) {
      TokenMasses& masses = masses_[thread_idx];
      masses.Set(kernels_, logits);
      paths[row].clear();
      RecordWalk(index_, masses, targets[row], paths[row]);
      if (on_masses) on_masses(row, masses);
      if (learner_) {
        learner_->SetOutcome(row, masses.weights(),
                             masses.Mass(0, masses.num_tokens()), targets[row],
                             thread_idx);
      }
    };
    const auto num_rows = static_cast<uint32_t>(targets.size());
    num_rows_ = num_rows;
    const auto threads = static_cast<uint32_t>(pool_.num_threads());
    if (UsesOwnRows(own_logit_rows_, pool_.num_threads(), num_rows)) {
      forward_.CountLogits(num_rows);
      const uint32_t round = threads * own_logit_rows_;
      const uint32_t tasks = (num_rows + round - 1) / round * threads;
      pool_.ParallelFor(tasks, [&](size_t i, int thread_idx) {
        const auto task = static_cast<uint32_t>(i);
        const uint32_t begin = num_rows * task / tasks;
        const uint32_t end = num_rows * (task + 1) / tasks;
        float* logits = logits_.data() + static_cast<size_t>(thread_idx) *
                                             own_logit_rows_ * stride_;
        forward_.ComputeOwnLogits(begin, end - begin, logits, thread_idx);
        for (uint32_t row = begin; row < end; ++row) {
          record(row, logits + (row - begin) * stride_, thread_idx);
        }
      });
      return OkStatus();
    }
    for (uint32_t row = 0; row < num_rows; row += kSharedLogitRows) {
      const uint32_t count = std::min(kSharedLogitRows, num_rows - row);
      forward_.ComputeLogits(row, count, logits_.data());
      pool_.ParallelFor(count, [&](size_t i, int thread_idx) {
        record(row + static_cast<uint32_t>(i), logits_.data() + i * stride_,
               thread_idx);
      });
    }
    return OkStatus();
  }

  void Learn() override {
    EnterStage(clock_, Stage::kOther);
    std::vector<uint32_t> rows(num_rows_);
    std::iota(rows.begin(), rows.end(), 0u);
    learner_->Step(rows);
    num_rows_ = 0;
  }

  Result<std::shared_ptr<const StreamStart>> Share(uint32_t stream) override {
    KvCache copy(model_.config(), window_positions_, 1);
    copy.StartAs(caches_[stream]);
    return std::shared_ptr<const StreamStart>(
        std::make_shared<CpuStreamStart>(std::move(copy)));
  }

 private:
  const Model& model_;
  const TokenIndex& index_;
  const KernelTable& kernels_;
  ThreadPool& pool_;
  StageClock* const clock_;
  const uint32_t window_positions_;
  ForwardPass forward_;
  std::vector<KvCache> caches_;       // [stream]
  std::vector<StreamBatch> streams_;  // of the last Run
  const size_t stride_;
  const uint32_t own_logit_rows_;    // of each thread, or 0
  AlignedBuffer<float> logits_;      // [row, stride_]
  std::vector<TokenMasses> masses_;  // per thread
  std::optional<Learner> learner_;
  uint32_t num_rows_ = 0;  // of the last Run
};

}  // namespace

// Passes over the rows of all sessions that run.
class CpuPasses : public MeetingPoint {
 public:
  CpuPasses(const Model& model, const KernelTable& kernels, ThreadPool& pool)
      : MeetingPoint(pool.num_threads()),
        model_(model),
        kernels_(kernels),
        pool_(pool),
        stride_(ForwardPass::LogitsStride(model.config())) {}

  // What a row more costs one of the streams that run now, where it costs
  // `alone` if there is but one.
  float extra_row_cost(float alone) const {
    const auto streams = static_cast<float>(std::max(1u, num_streams_.load()));
    return streams * alone / (1 + (streams - 1) * alone);
  }
  void AddStreams(uint32_t count) { num_streams_ += count; }
  void RemoveStreams(uint32_t count) { num_streams_ -= count; }

  // Of passes that one session has for itself: ForwardPass::set_learning().
  void set_learning(LearnedWeights* learned, TokenRecords* records,
                    const std::vector<uint32_t>* places) {
    learned_ = learned;
    records_ = records;
    places_ = places;
  }

  // Of a row of the last meeting.
  const float* logits(uint32_t row) const {
    return logits_.data() + row * stride_;
  }

 private:
  // More rows go into several passes, which take as long together.
  static constexpr uint32_t kMaxPassRows = 128;

  void Meet(std::span<Member* const> members) override;
  void RunAll(std::span<Member* const> members);
  // Room for so many rows in all, and in a pass.
  void MakeRoom(uint32_t num_rows, uint32_t pass_rows,
                uint32_t window_positions);

  const Model& model_;
  const KernelTable& kernels_;
  ThreadPool& pool_;
  const size_t stride_;
  std::atomic<uint32_t> num_streams_{0};
  // Made anew when sessions come that need more.
  std::optional<ForwardPass> forward_;
  uint32_t max_rows_ = 0, max_window_positions_ = 0;
  LearnedWeights* learned_ = nullptr;
  TokenRecords* records_ = nullptr;
  const std::vector<uint32_t>* places_ = nullptr;
  AlignedBuffer<float> logits_;  // [row, stride_]
  std::vector<StreamBatch> batch_;
};

namespace {

class CpuDecodeSession : public DecodeSession, public MeetingPoint::Member {
 public:
  CpuDecodeSession(const Engine& engine, const KernelTable& kernels,
                   const SessionOptions& options,
                   std::shared_ptr<CpuPasses> passes)
      : shape_(options.shape),
        kernels_(kernels),
        clock_(options.clock),
        caches_(MakeCaches(engine.model().config(), options)),
        num_run_(options.shape.num_streams),
        passes_(std::move(passes)) {
    passes_->AddStreams(shape_.num_streams);
    if (!options.learns) return;
    learning_.emplace(engine.model(), kernels, options);
    passes_->set_learning(&learning_->learner.weights(),
                          &learning_->pass_records, &learning_->places);
  }
  ~CpuDecodeSession() override {
    passes_->RemoveStreams(shape_.num_streams);
    passes_->Leave(*this);
  }

  Status Run(std::span<const StreamTokens> batch) override {
    SetStreams(batch, caches_, streams_);
    num_rows_ = 0;
    for (const StreamTokens& rows : batch) {
      const auto count = static_cast<uint32_t>(rows.tokens.size());
      num_run_[rows.stream] = count;
      if (learning_) learning_->SetPlaces(rows.stream, num_rows_, count);
      num_rows_ += count;
    }
    EnterStage(clock_, Stage::kOther);
    passes_->Come(*this);
    EnterStage(clock_, Stage::kTokenWeights);
    if (failure_) std::rethrow_exception(std::exchange(failure_, nullptr));
    return OkStatus();
  }

  void Weigh(uint32_t row, TokenMasses& masses) override {
    masses.Set(kernels_, passes_->logits(first_row_ + row));
  }

  void Keep(uint32_t stream, std::span<const uint32_t> kept) override {
    caches_[stream].Keep(num_run_[stream], kept);
  }

  void Remember(uint32_t stream, uint32_t row, const TokenMasses& masses,
                uint32_t token) override {
    Learner& learner = learning_->learner;
    const uint32_t max_each = Learner::kMaxRows / shape_.num_streams;
    LLMA_DCHECK(learning_->num_rows[stream] < max_each);
    const uint32_t slot = stream * max_each + learning_->num_rows[stream]++;
    learner.records().CopyRow(learning_->pass_records,
                              learning_->PlaceOf(stream, row), slot);
    learner.SetOutcome(slot, masses.weights(),
                       masses.Mass(0, masses.num_tokens()), token, 0);
  }

  void Learn() override {
    EnterStage(clock_, Stage::kOther);
    std::vector<uint32_t> rows;
    for (uint32_t stream = 0; stream < shape_.num_streams; ++stream) {
      const uint32_t first = stream * (Learner::kMaxRows / shape_.num_streams);
      for (uint32_t i = 0; i < learning_->num_rows[stream]; ++i) {
        rows.push_back(first + i);
      }
      learning_->num_rows[stream] = 0;
    }
    learning_->learner.Step(rows);
  }

  float extra_row_cost(float alone) const override {
    return passes_->extra_row_cost(alone);
  }

  // For the passes.
  const SessionShape& shape() const { return shape_; }
  StageClock* clock() const { return clock_; }
  std::span<const StreamBatch> streams() const { return streams_; }
  uint32_t num_rows() const { return num_rows_; }
  uint32_t first_row() const { return first_row_; }
  void set_first_row(uint32_t row) { first_row_ = row; }
  void set_failure(const std::exception_ptr& failure) { failure_ = failure; }

 private:
  const SessionShape shape_;
  const KernelTable& kernels_;
  StageClock* const clock_;
  std::vector<KvCache> caches_;       // [stream]
  std::vector<uint32_t> num_run_;     // [stream]: tokens of the last Run
  std::vector<StreamBatch> streams_;  // of the last Run
  uint32_t num_rows_ = 0;
  uint32_t first_row_ = 0;  // among those of all sessions
  std::exception_ptr failure_;
  const std::shared_ptr<CpuPasses> passes_;
  struct Learning {
    Learning(const Model& of, const KernelTable& kernels,
             const SessionOptions& options)
        : learner(of, kernels, options.pool),
          max_run_tokens(options.shape.max_run_tokens),
          pass_records(of.config(), options.shape.max_rows()),
          places(options.shape.max_rows()),
          first_rows(options.shape.num_streams),
          num_rows(options.shape.num_streams) {}
    // Rows of the last pass that each stream was in stay until its next one.
    void SetPlaces(uint32_t stream, uint32_t first_row, uint32_t count) {
      first_rows[stream] = first_row;
      for (uint32_t i = 0; i < count; ++i) {
        places[first_row + i] = stream * max_run_tokens + i;
      }
    }
    uint32_t PlaceOf(uint32_t stream, uint32_t row) const {
      return stream * max_run_tokens + row - first_rows[stream];
    }

    Learner learner;
    const uint32_t max_run_tokens;
    TokenRecords pass_records;         // [stream, token of its last pass]
    std::vector<uint32_t> places;      // in it, [row of the pass that runs]
    std::vector<uint32_t> first_rows;  // [stream]
    std::vector<uint32_t> num_rows;    // [stream], remembered
  };
  std::optional<Learning> learning_;
};

CpuDecodeSession& SessionOf(MeetingPoint::Member* member) {
  return *static_cast<CpuDecodeSession*>(member);
}

}  // namespace

void CpuPasses::Meet(std::span<Member* const> members) {
  try {
    RunAll(members);
  } catch (...) {
    for (Member* member : members) {
      SessionOf(member).set_failure(std::current_exception());
    }
  }
}

void CpuPasses::RunAll(std::span<Member* const> members) {
  uint32_t num_rows = 0, most_rows = 0, sum_rows = 0, window_positions = 0;
  for (Member* member : members) {
    CpuDecodeSession& session = SessionOf(member);
    session.set_first_row(num_rows);
    num_rows += session.num_rows();
    most_rows = std::max(most_rows, session.shape().max_rows());
    sum_rows += session.shape().max_rows();
    window_positions =
        std::max(window_positions, session.shape().window_positions);
  }
  MakeRoom(num_rows, std::max(most_rows, std::min(sum_rows, kMaxPassRows)),
           window_positions);
  for (size_t i = 0; i < members.size();) {
    const CpuDecodeSession& first = SessionOf(members[i]);
    batch_.clear();
    uint32_t pass_rows = 0;
    for (; i < members.size(); ++i) {
      const CpuDecodeSession& session = SessionOf(members[i]);
      if (pass_rows > 0 && pass_rows + session.num_rows() > max_rows_) break;
      pass_rows += session.num_rows();
      batch_.insert(batch_.end(), session.streams().begin(),
                    session.streams().end());
    }
    forward_->set_clock(first.clock());
    forward_->Run(batch_);
    forward_->ComputeLogits(0, pass_rows,
                            logits_.data() + first.first_row() * stride_);
  }
}

void CpuPasses::MakeRoom(uint32_t num_rows, uint32_t pass_rows,
                         uint32_t window_positions) {
  if (num_rows * stride_ > logits_.size()) {
    logits_ = {};
    logits_ = AlignedBuffer<float>(std::max(num_rows, pass_rows) * stride_);
  }
  if (forward_ && pass_rows <= max_rows_ &&
      window_positions <= max_window_positions_) {
    return;
  }
  max_rows_ = std::max(max_rows_, pass_rows);
  max_window_positions_ = std::max(max_window_positions_, window_positions);
  forward_.reset();
  forward_.emplace(model_, kernels_, pool_, max_rows_, max_window_positions_);
  forward_->set_learning(learned_, records_, places_);
}

Result<std::unique_ptr<EncodeSession>> CpuEngine::OpenEncoder(
    const SessionOptions& options) {
  return std::unique_ptr<EncodeSession>(
      std::make_unique<CpuEncodeSession>(*this, kernels_, options));
}

Result<std::unique_ptr<DecodeSession>> CpuEngine::OpenDecoder(
    const SessionOptions& options) {
  return std::unique_ptr<DecodeSession>(std::make_unique<CpuDecodeSession>(
      *this, kernels_, options, PassesFor(options)));
}

std::shared_ptr<CpuPasses> CpuEngine::PassesFor(const SessionOptions& options) {
  const auto make = [&] {
    return std::make_shared<CpuPasses>(model(), kernels_, options.pool);
  };
  if (!options.joins) return make();
  const std::lock_guard lock(mutex_);
  std::erase_if(joint_,
                [](const auto& known) { return known.second.expired(); });
  std::weak_ptr<CpuPasses>& known = joint_[&options.pool];
  std::shared_ptr<CpuPasses> passes = known.lock();
  if (!passes) known = passes = make();
  return passes;
}

uint64_t CpuEngine::EncoderBytes(const ModelConfig& config,
                                 const SessionShape& shape, int num_threads) {
  const uint64_t stride = ForwardPass::LogitsStride(config);
  return StreamsBytes(config, shape, num_threads) +
         LogitRows(OwnLogitRows(ForwardPass::LogitsStride(config), num_threads),
                   num_threads, shape.max_rows()) *
             stride * sizeof(float) +
         static_cast<uint64_t>(num_threads) *
             TokenMasses::SizeBytes(config.num_tokens);
}

uint64_t CpuEngine::DecoderBytes(const ModelConfig& config,
                                 const SessionShape& shape, int num_threads) {
  return StreamsBytes(config, shape, num_threads) +
         shape.max_rows() * ForwardPass::LogitsStride(config) * sizeof(float);
}

const EngineKind kCpuEngine = {
    .name = "cpu",
    .description = "processors of this machine",
    .max_encode_rows = CpuEngine::kEncodeRows,
    .threads_per_frame = 8,
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
