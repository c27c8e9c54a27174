// SPDX-License-Identifier: Apache-2.0
// What frames, files and messages use one after the other, made once: threads,
// engines and the memory of tables; to compress also tokenizers.
#ifndef LLMA_CODEC_CODEC_CONTEXT_H_
#define LLMA_CODEC_CODEC_CONTEXT_H_

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <tuple>
#include <typeindex>
#include <utility>

#include "base/page_cache.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "container/frame_header.h"
#include "engine/engine_registry.h"
#include "kernels/kernel_table.h"
#include "model/model.h"

namespace llma {

// What a predictor knows after a reference depends on all of this.
struct StartKey {
  enum Kind { kTokens, kModels, kContexts };
  Kind kind = kContexts;
  ReferenceId reference{};
  // kTokens and kModels
  std::type_index engine = typeid(void);
  std::array<uint8_t, 32> model{};  // its fingerprint
  uint32_t window_positions = 0;
  // kModels and kContexts
  ContextModels context_models = ContextModels::kNone;
  uint32_t num_lanes = 0;
  uint64_t table_bytes = 0;
  bool operator==(const StartKey&) const = default;
};

// Thread-safe. Of one process: a child of fork() has none of the threads. Must
// outlive the work that it is given to.
class CodecContext {
 public:
  // A thread pool, for its holder alone until this is destroyed.
  class PoolLease {
   public:
    PoolLease(CodecContext& context, int asked_threads,
              std::unique_ptr<ThreadPool> pool)
        : context_(&context),
          asked_threads_(asked_threads),
          pool_(std::move(pool)) {}
    ~PoolLease() { context_->GiveBack(asked_threads_, std::move(pool_)); }
    PoolLease(const PoolLease&) = delete;
    PoolLease& operator=(const PoolLease&) = delete;
    ThreadPool& operator*() const { return *pool_; }
    ThreadPool* operator->() const { return pool_.get(); }

   private:
    CodecContext* context_;
    int asked_threads_;
    std::unique_ptr<ThreadPool> pool_;
  };

  CodecContext() = default;
  CodecContext(const CodecContext&) = delete;
  CodecContext& operator=(const CodecContext&) = delete;

  // See ThreadPool.
  PoolLease TakePool(int num_threads);
  // The one that all of this group have who asked for as many threads to use
  // this engine, since it was unused.
  std::shared_ptr<PoolLease> SharePool(const Engine& engine, int num_threads,
                                       uint32_t group);
  PageCache& pages() { return pages_; }
  // The engine that LLMA_ENGINE names, or the preferred one, with this model.
  // It may be used as long as the model lives.
  Result<std::shared_ptr<Engine>> EngineOf(const Model& model,
                                           const KernelTable& kernels);

  // What make(), which returns a Result<std::shared_ptr<const T>>, once made
  // for this key; one caller makes at a time. T goes with the kind of the key.
  template <class T, class Make>
  Result<std::shared_ptr<const T>> StartOf(const StartKey& key,
                                           const Make& make) {
    const std::lock_guard lock(starts_mutex_);
    const auto found = std::ranges::find(starts_, key, &KnownStart::key);
    if (found != starts_.end()) {
      starts_.splice(starts_.begin(), starts_, found);
    } else {
      LLMA_ASSIGN(std::shared_ptr<const T> made, make());
      starts_.push_front({key, std::move(made)});
      if (starts_.size() > kMaxStarts) starts_.pop_back();
    }
    return std::static_pointer_cast<const T>(starts_.front().start);
  }

  // The memory that work needs, while it runs.
  class Reservation {
   public:
    Reservation(CodecContext& context, uint64_t bytes)
        : context_(&context), bytes_(bytes) {}
    ~Reservation() { context_->reserved_bytes_ -= bytes_; }
    Reservation(Reservation&& other) noexcept
        : context_(other.context_), bytes_(std::exchange(other.bytes_, 0)) {}
    Reservation& operator=(Reservation&&) = delete;

   private:
    CodecContext* context_;
    uint64_t bytes_;
  };
  // kLimit if this is more than `max_bytes`. What is kept goes back to the
  // system if it and all that is reserved are more.
  Result<Reservation> Reserve(uint64_t bytes, uint64_t max_bytes);

 private:
  struct IdlePool {
    int asked_threads;
    std::unique_ptr<ThreadPool> pool;
  };
  struct KnownEngine {
    std::weak_ptr<const void> life;  // of the model
    const Model* model;
    const EngineKind* kind;
    const KernelTable* kernels;
    std::shared_ptr<Engine> engine;
  };
  struct KnownStart {
    StartKey key;
    std::shared_ptr<const void> start;
  };
  // Of the frames of one work: with a language model, and without.
  static constexpr size_t kMaxStarts = 4;
  static constexpr size_t kMaxIdlePools = 4;
  static constexpr size_t kMaxEngines = 4;
  void GiveBack(int asked_threads, std::unique_ptr<ThreadPool> pool) noexcept;

  PageCache pages_;
  std::atomic<uint64_t> reserved_bytes_{0};
  std::mutex mutex_;
  std::list<IdlePool> idle_;  // the one used last in front
  std::mutex shared_mutex_;
  // By engine, asked threads and group.
  std::map<std::tuple<const Engine*, int, uint32_t>, std::weak_ptr<PoolLease>>
      shared_;
  std::mutex engines_mutex_;        // one may take long to make
  std::list<KnownEngine> engines_;  // the one used last in front
  std::mutex starts_mutex_;         // one takes long to make
  std::list<KnownStart> starts_;    // the one used last in front
};

// The one that is given; else one that lives as long as this.
template <class Context>
class GivenContext {
 public:
  explicit GivenContext(Context* given)
      : own_(given == nullptr ? std::make_unique<Context>() : nullptr),
        context_(given == nullptr ? own_.get() : given) {}
  Context* get() const { return context_; }
  Context& operator*() const { return *context_; }
  Context* operator->() const { return context_; }

 private:
  std::unique_ptr<Context> own_;
  Context* context_;
};

// The options, with a context that is there.
template <class Options, class Context>
Options WithContext(Options options, Context& context) {
  options.context = &context;
  return options;
}

}  // namespace llma

#endif  // LLMA_CODEC_CODEC_CONTEXT_H_
