// SPDX-License-Identifier: Apache-2.0
#include "codec/codec_context.h"

#include <algorithm>
#include <iterator>
#include <new>

#include "codec/frame/frame_checks.h"

namespace llma {

CodecContext::PoolLease CodecContext::TakePool(int num_threads) {
  {
    const std::lock_guard lock(mutex_);
    const auto found =
        std::ranges::find(idle_, num_threads, &IdlePool::asked_threads);
    if (found != idle_.end()) {
      std::unique_ptr<ThreadPool> pool = std::move(found->pool);
      idle_.erase(found);
      return {*this, num_threads, std::move(pool)};
    }
  }
  return {*this, num_threads, std::make_unique<ThreadPool>(num_threads)};
}

std::shared_ptr<CodecContext::PoolLease> CodecContext::SharePool(
    const Engine& engine, int num_threads, uint32_t group) {
  const std::lock_guard lock(shared_mutex_);
  std::erase_if(shared_,
                [](const auto& known) { return known.second.expired(); });
  std::weak_ptr<PoolLease>& known = shared_[{&engine, num_threads, group}];
  std::shared_ptr<PoolLease> pool = known.lock();
  if (!pool) {
    // PoolLease cannot move.
    pool.reset(new PoolLease(TakePool(num_threads)));
    known = pool;
  }
  return pool;
}

void CodecContext::GiveBack(int asked_threads,
                            std::unique_ptr<ThreadPool> pool) noexcept {
  std::list<IdlePool> ended;  // outside the lock, for threads are waited for
  try {
    const std::lock_guard lock(mutex_);
    idle_.push_front({asked_threads, std::move(pool)});
    if (idle_.size() > kMaxIdlePools) {
      ended.splice(ended.begin(), idle_, std::prev(idle_.end()));
    }
  } catch (const std::bad_alloc&) {
    // Then it is not kept.
  }
}

Result<std::shared_ptr<Engine>> CodecContext::EngineOf(
    const Model& model, const KernelTable& kernels) {
  LLMA_ASSIGN(const EngineKind* kind, EngineFromEnvironment());
  std::list<KnownEngine> ended;  // outside the lock
  const std::lock_guard lock(engines_mutex_);
  // Another model may be where one was that is gone.
  for (auto known = engines_.begin(); known != engines_.end();) {
    const auto next = std::next(known);
    if (known->life.expired()) ended.splice(ended.end(), engines_, known);
    known = next;
  }
  const auto found =
      std::ranges::find_if(engines_, [&](const KnownEngine& known) {
        return known.model == &model && known.kind == kind &&
               known.kernels == &kernels;
      });
  if (found != engines_.end()) {
    engines_.splice(engines_.begin(), engines_, found);
    return engines_.front().engine;
  }
  LLMA_ASSIGN(std::unique_ptr<Engine> made, kind->create(model, kernels));
  engines_.push_front({model.life(), &model, kind, &kernels, std::move(made)});
  if (engines_.size() > kMaxEngines) {
    ended.splice(ended.end(), engines_, std::prev(engines_.end()));
  }
  return engines_.front().engine;
}

Result<CodecContext::Reservation> CodecContext::Reserve(uint64_t bytes,
                                                        uint64_t max_bytes) {
  LLMA_TRY(CheckMemory(bytes, max_bytes));
  const uint64_t reserved_bytes = reserved_bytes_ += bytes;
  if (reserved_bytes >
      max_bytes - std::min<uint64_t>(max_bytes, pages_.kept_bytes())) {
    pages_.Clear();
  }
  return Reservation(*this, bytes);
}

}  // namespace llma
