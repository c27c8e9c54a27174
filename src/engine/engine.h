// SPDX-License-Identifier: Apache-2.0
// One model on one device, behind an interface that only integers cross: tokens
// go in; a decoder gets the weights of all tokens, an encoder the probabilities
// along the tokens that it knows.
//
// Goals: whoever computes, the integers are those of docs/NUMERICS.md and
// docs/PREDICTOR.md; one engine serves the frames of many threads.
// Non-goals: logits, training, generation.
//
// What a device needs is in the interface already:
// - An engine lives as long as its codec context: weights stay on the device.
// - A session is the streams of one frame. Each frame runs in a thread of its
//   own, so an engine may join the rows of all sessions that are in Run() into
//   one pass, whose size it names (encode_rows()). The processor's does so with
//   decoders that want it (SessionOptions::joins).
// - Keys and values belong to a session and never leave the engine. A decoder
//   says which rows of a Run stay (Keep()), and says it before the next one.
// - An encoder's Run() brings the tokens that follow, so that the walk along
//   them is made where the logits are: some 30 numbers a token come back.
// - Run() of a decoder need not wait for its results; Weigh() does. It may give
//   the sums of blocks at first and weights of single blocks on demand.
// - A device may fail at any time: Run() and Check() say so.
#ifndef LLMA_ENGINE_ENGINE_H_
#define LLMA_ENGINE_ENGINE_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "base/page_cache.h"
#include "base/stage_clock.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "coder/binary_coder.h"
#include "model/model.h"
#include "predict/token_masses.h"
#include "predict/token_walk.h"

namespace llma {

// What a session has room for.
struct SessionShape {
  uint32_t num_streams;
  uint32_t window_positions;  // that heads with the whole window see
  uint32_t max_run_tokens;    // of a stream in one Run
  uint32_t max_rows() const { return num_streams * max_run_tokens; }
};

// What a stream has read, for others to start as: of one engine and window.
class StreamStart {
 public:
  virtual ~StreamStart() = default;
};

// A session's shape and what its frame lends it. All must outlive it.
struct SessionOptions {
  SessionShape shape;
  // Bytes of content that are likely to come, [stream]: where they are few, so
  // are keys and values.
  std::span<const uint64_t> stream_bytes;
  ThreadPool& pool;             // used in Run() alone
  StageClock* clock = nullptr;  // gets the time of each stage
  PageCache* pages = nullptr;   // for keys and values
  // Every stream goes on as this one did; null: they have read nothing.
  const StreamStart* start = nullptr;
  // For a decoder: its passes may be shared by all sessions of the same pool
  // that join, which only they use. Once it has run, the thread that runs it
  // does so again soon, or closes it: the others wait for it.
  bool joins = false;
  // Whether Learn() is to be called: what streams read changes the model for
  // all of them. Only the processor's engine does so. Such a session
  // does not join, and reads no more rows in a Run, nor between two calls of
  // Learn(), than Learner::kMaxRows.
  bool learns = false;
};

// Consecutive tokens of a stream, which are appended to it. The first token of
// a stream that has read nothing is the model's start token. The rows of a Run
// are numbered through its streams, each of which it has at most once.
struct StreamTokens {
  uint32_t stream;
  std::span<const uint32_t> tokens;
  // If some of them are alternatives: [i] < i, the token that token i follows
  // ([0] counts for nothing), by their distance from the first. Then the Run
  // has no other stream, at most kMaxTreeTokens, and the stream has kNumSinks
  // positions already.
  std::span<const uint32_t> parents = {};
};
inline constexpr uint32_t kMaxTreeTokens = 16;

// The streams of a frame whose tokens are known. Thread-compatible.
class EncodeSession {
 public:
  // Of a row, for who wants to see more than the token's path. Called by any
  // thread of the pool, also for several rows at a time.
  using MassesCallback =
      std::function<void(uint32_t row, const TokenMasses& masses)>;

  virtual ~EncodeSession() = default;
  // Runs the model over `batch`. targets: [row], the token that follows. Fills
  // paths, [row], with the probabilities of the decisions that spell it.
  // on_masses may be empty.
  virtual Status Run(std::span<const StreamTokens> batch,
                     std::span<const uint32_t> targets,
                     std::span<std::vector<Probability>> paths,
                     const MassesCallback& on_masses) = 0;
  // Learns from the rows of the last Run.
  virtual void Learn() {}
  // What a stream has read so far.
  virtual Result<std::shared_ptr<const StreamStart>> Share(uint32_t stream) = 0;
};

// The streams of a frame whose tokens come one after the other.
// Thread-compatible, but for Weigh().
class DecodeSession {
 public:
  virtual ~DecodeSession() = default;
  virtual Status Run(std::span<const StreamTokens> batch) = 0;
  // The weights of the token after a row of the last Run. Other threads may ask
  // for other rows at the same time. What is still to be loaded (TokenMasses)
  // may be asked for until the stream is run again, if other streams are run
  // meanwhile, or the session or its engine ends.
  virtual void Weigh(uint32_t row, TokenMasses& masses) = 0;
  // Of a stream's tokens in the last Run, keeps those at `kept`, ascending from
  // 0 on; the others are taken back. Without this, all are kept; after
  // alternatives it must be called.
  virtual void Keep(uint32_t stream, std::span<const uint32_t> kept) = 0;
  // That `token` came after a row of the last Run, whose weights are `masses`:
  // for the next Learn(). In the order of the stream.
  virtual void Remember(uint32_t /*stream*/, uint32_t /*row*/,
                        const TokenMasses& /*masses*/, uint32_t /*token*/) {}
  // Learns from what was remembered since the last time, stream by stream.
  virtual void Learn() {}
  // Whether all weights so far are right. After a failure they are any, but
  // none is 0 and the sums are theirs.
  virtual Status Check() { return OkStatus(); }
  // What a row more costs this session, where it costs `alone` if no others
  // share its passes: Engine::extra_row_cost().
  virtual float extra_row_cost(float alone) const { return alone; }
};

// Thread-safe. The model must outlive what is done with it, though not the
// engine, which does not look at it when it ends.
class Engine {
 public:
  explicit Engine(const Model& model) : model_(model), index_(model.tokens()) {}
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  const Model& model() const { return model_; }
  const TokenIndex& index() const { return index_; }

  // How many rows an encoder should give to a Run.
  virtual uint32_t encode_rows() const = 0;
  // What a row more adds to a decoder's Run of few rows, as a share of the time
  // of one row. An estimate, for speed alone.
  virtual float extra_row_cost() const = 0;

  // A device that has no room for a session may wait until others of its kind
  // are closed: whoever has one must not wait for another thread that opens
  // one.
  virtual Result<std::unique_ptr<EncodeSession>> OpenEncoder(
      const SessionOptions& options) = 0;
  virtual Result<std::unique_ptr<DecodeSession>> OpenDecoder(
      const SessionOptions& options) = 0;

 private:
  const Model& model_;
  const TokenIndex index_;
};

}  // namespace llma

#endif  // LLMA_ENGINE_ENGINE_H_
