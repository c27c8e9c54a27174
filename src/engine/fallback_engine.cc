// SPDX-License-Identifier: Apache-2.0
#include "engine/fallback_engine.h"

#include <algorithm>
#include <mutex>
#include <utility>

namespace llma {
namespace {

std::mutex failure_mutex;
std::string& FailureText() {
  static auto* const text = new std::string;
  return *text;
}

using Tokens = std::vector<uint32_t>;

// With what it has read, for the processor to read it again.
struct FallbackStart : StreamStart {
  std::shared_ptr<Engine> first;  // null: it is the processor's
  std::shared_ptr<const StreamStart> start;
  Tokens read;
};

// Reads what each stream has read, at most `step` tokens at a time.
template <class Run>
Status ReadAgain(std::span<const Tokens> read, uint32_t step, const Run& run) {
  size_t longest = 0;
  for (const Tokens& tokens : read) longest = std::max(longest, tokens.size());
  for (size_t begin = 0; begin < longest; begin += step) {
    std::vector<StreamTokens> batch;
    for (uint32_t stream = 0; stream < read.size(); ++stream) {
      const std::span<const uint32_t> tokens = read[stream];
      if (begin >= tokens.size()) continue;
      batch.push_back(
          {stream, tokens.subspan(
                       begin, std::min<size_t>(step, tokens.size() - begin))});
    }
    LLMA_TRY(run(std::span<const StreamTokens>(batch)));
  }
  return OkStatus();
}

Status ReadWith(EncodeSession& session, std::span<const Tokens> read,
                uint32_t step) {
  return ReadAgain(read, step, [&](std::span<const StreamTokens> batch) {
    size_t num_rows = 0;
    for (const StreamTokens& of : batch) num_rows += of.tokens.size();
    const Tokens targets(num_rows);  // any
    std::vector<std::vector<Probability>> paths(num_rows);
    return session.Run(batch, targets, paths, {});
  });
}

// What both kinds of sessions have in common.
class History {
 public:
  History(FallbackEngine& engine, const SessionOptions& options)
      : engine_(engine),
        options_(options),
        stream_bytes_(options.stream_bytes.begin(), options.stream_bytes.end()),
        start_(static_cast<const FallbackStart*>(options.start)),
        read_(options.shape.num_streams) {
    options_.stream_bytes = stream_bytes_;
  }

  FallbackEngine& engine() const { return engine_; }
  // That of the session; null: it is the processor's.
  const std::shared_ptr<Engine>& first() const { return first_; }
  std::span<const Tokens> read() const { return read_; }
  uint32_t step() const { return options_.shape.max_run_tokens; }
  void Add(std::span<const StreamTokens> batch) {
    for (const StreamTokens& of : batch) {
      Tokens& read = read_[of.stream];
      read.insert(read.end(), of.tokens.begin(), of.tokens.end());
    }
  }
  // Of the last tokens that a stream has read.
  void Keep(uint32_t stream, size_t count, std::span<const uint32_t> kept) {
    Tokens& read = read_[stream];
    const size_t begin = read.size() - count;
    for (size_t i = 0; i < kept.size(); ++i) {
      read[begin + i] = read[begin + kept[i]];
    }
    read.resize(begin + kept.size());
  }
  // All that a stream has read, with what it started as.
  Tokens AllOf(uint32_t stream) const {
    Tokens all = start_ != nullptr ? start_->read : Tokens();
    all.insert(all.end(), read_[stream].begin(), read_[stream].end());
    return all;
  }

  // Opens a session of the first engine; null if it has failed or cannot.
  template <class Session, class Open>
  std::unique_ptr<Session> OpenFirst(const Open& open) {
    first_ = engine_.first();
    if (first_ == nullptr || (start_ != nullptr && start_->first == nullptr) ||
        options_.learns) {
      return nullptr;
    }
    SessionOptions options = options_;
    if (start_ != nullptr) options.start = start_->start.get();
    Result<std::unique_ptr<Session>> opened = open(*first_, options);
    if (opened) return *std::move(opened);
    NoteEngineFailure(opened.error().what);
    return nullptr;
  }
  // And of the processor, which knows of the start alone. No session of the
  // first engine is left.
  template <class Session, class Open>
  Result<std::unique_ptr<Session>> OpenCpu(const Open& open) {
    first_ = nullptr;
    SessionOptions options = options_;
    std::shared_ptr<const StreamStart> start;
    if (start_ != nullptr && start_->first == nullptr) {
      start = start_->start;
    } else if (start_ != nullptr) {
      LLMA_ASSIGN(start, StartOfCpu());
    }
    options.start = start.get();
    return open(engine_.cpu(), options);
  }

 private:
  Result<std::shared_ptr<const StreamStart>> StartOfCpu() const {
    const uint64_t bytes = start_->read.size();
    // That of sessions that join is in use by the others.
    ThreadPool own_pool(1);
    const SessionOptions options = {
        {1, options_.shape.window_positions, CpuEngine::kEncodeRows},
        {&bytes, 1},
        options_.joins ? own_pool : options_.pool,
        options_.clock,
        options_.pages};
    LLMA_ASSIGN(const auto session, engine_.cpu().OpenEncoder(options));
    LLMA_TRY(ReadWith(*session, {&start_->read, 1}, CpuEngine::kEncodeRows));
    return session->Share(0);
  }

  FallbackEngine& engine_;
  SessionOptions options_;
  const std::vector<uint64_t> stream_bytes_;
  const FallbackStart* const start_;
  std::shared_ptr<Engine> first_;
  std::vector<Tokens> read_;  // [stream], after the start
};

constexpr auto kOpenEncoder = [](Engine& engine,
                                 const SessionOptions& options) {
  return engine.OpenEncoder(options);
};
constexpr auto kOpenDecoder = [](Engine& engine,
                                 const SessionOptions& options) {
  return engine.OpenDecoder(options);
};

class FallbackEncodeSession : public EncodeSession {
 public:
  FallbackEncodeSession(FallbackEngine& engine, const SessionOptions& options)
      : history_(engine, options) {}
  Status Open() {
    session_ = history_.OpenFirst<EncodeSession>(kOpenEncoder);
    if (session_ != nullptr) return OkStatus();
    return TakeOver();
  }

  Status Run(std::span<const StreamTokens> batch,
             std::span<const uint32_t> targets,
             std::span<std::vector<Probability>> paths,
             const MassesCallback& on_masses) override {
    Status status = session_->Run(batch, targets, paths, on_masses);
    if (!status && history_.first() != nullptr) {
      history_.engine().NoteLoss(status.error());
      LLMA_TRY(TakeOver());
      status = session_->Run(batch, targets, paths, on_masses);
    }
    LLMA_TRY(status);
    history_.Add(batch);
    return OkStatus();
  }

  void Learn() override { session_->Learn(); }

  Result<std::shared_ptr<const StreamStart>> Share(uint32_t stream) override {
    auto shared = std::make_shared<FallbackStart>();
    auto start = session_->Share(stream);
    if (!start && history_.first() != nullptr) {
      history_.engine().NoteLoss(start.error());
      LLMA_TRY(TakeOver());
      start = session_->Share(stream);
    }
    LLMA_ASSIGN(shared->start, std::move(start));
    shared->first = history_.first();
    shared->read = history_.AllOf(stream);
    return std::shared_ptr<const StreamStart>(std::move(shared));
  }

 private:
  Status TakeOver() {
    session_ = nullptr;
    LLMA_ASSIGN(session_, history_.OpenCpu<EncodeSession>(kOpenEncoder));
    return ReadWith(*session_, history_.read(), history_.step());
  }

  History history_;
  std::unique_ptr<EncodeSession> session_;
};

class FallbackDecodeSession : public DecodeSession {
 public:
  FallbackDecodeSession(FallbackEngine& engine, const SessionOptions& options)
      : history_(engine, options), num_run_(options.shape.num_streams) {}
  Status Open() {
    session_ = history_.OpenFirst<DecodeSession>(kOpenDecoder);
    if (session_ != nullptr) return OkStatus();
    return TakeOver();
  }

  Status Run(std::span<const StreamTokens> batch) override {
    Status status = session_->Run(batch);
    if (!status && history_.first() != nullptr) {
      history_.engine().NoteLoss(status.error());
      LLMA_TRY(TakeOver());
      status = session_->Run(batch);
    }
    LLMA_TRY(status);
    history_.Add(batch);
    for (const StreamTokens& of : batch) {
      num_run_[of.stream] = of.tokens.size();
    }
    return OkStatus();
  }
  void Weigh(uint32_t row, TokenMasses& masses) override {
    session_->Weigh(row, masses);
  }
  void Keep(uint32_t stream, std::span<const uint32_t> kept) override {
    session_->Keep(stream, kept);
    history_.Keep(stream, num_run_[stream], kept);
  }
  void Remember(uint32_t stream, uint32_t row, const TokenMasses& masses,
                uint32_t token) override {
    session_->Remember(stream, row, masses, token);
  }
  void Learn() override { session_->Learn(); }
  Status Check() override { return session_->Check(); }
  float extra_row_cost(float alone) const override {
    return session_->extra_row_cost(alone);
  }

 private:
  Status TakeOver() {
    session_ = nullptr;
    LLMA_ASSIGN(session_, history_.OpenCpu<DecodeSession>(kOpenDecoder));
    return ReadAgain(history_.read(), history_.step(),
                     [&](std::span<const StreamTokens> batch) {
                       return session_->Run(batch);
                     });
  }

  History history_;
  std::vector<size_t> num_run_;  // [stream]: tokens of the last Run
  std::unique_ptr<DecodeSession> session_;
};

}  // namespace

void NoteEngineFailure(const std::string& reason) {
  const std::lock_guard lock(failure_mutex);
  if (FailureText().empty()) FailureText() = reason;
}

std::string TakeEngineFailure() {
  const std::lock_guard lock(failure_mutex);
  return std::exchange(FailureText(), {});
}

Result<std::unique_ptr<EncodeSession>> FallbackEngine::OpenEncoder(
    const SessionOptions& options) {
  auto session = std::make_unique<FallbackEncodeSession>(*this, options);
  LLMA_TRY(session->Open());
  return std::unique_ptr<EncodeSession>(std::move(session));
}

Result<std::unique_ptr<DecodeSession>> FallbackEngine::OpenDecoder(
    const SessionOptions& options) {
  auto session = std::make_unique<FallbackDecodeSession>(*this, options);
  LLMA_TRY(session->Open());
  return std::unique_ptr<DecodeSession>(std::move(session));
}

}  // namespace llma
