// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <new>
#include <system_error>

#include "base/fp_env.h"
#include "base/machine_limits.h"

namespace llma {

ThreadPool::ThreadPool(int num_threads)
    // More threads than processors never run side by side: who spins is in the
    // way of those who are waited for.
    : may_spin_(num_threads <= NumProcessors()),
      join_wait_(may_spin_),
      background_wait_(may_spin_) {
  const int total = num_threads > 0 ? num_threads : NumProcessors();
  workers_.reserve(static_cast<size_t>(total) - 1);
  for (int i = 1; i < total; ++i) {
    try {
      workers_.emplace_back([this, i] { WorkerLoop(i); });
    } catch (const std::system_error&) {
      break;  // those that there are do the work
    } catch (const std::bad_alloc&) {
      break;
    }
  }
}

ThreadPool::~ThreadPool() {
  stopping_.store(true);
  generation_.fetch_add(1);
  generation_.notify_all();
  for (std::thread& worker : workers_) worker.join();
}

void ThreadPool::Run(size_t num_tasks, TaskFunction function,
                     const void* context) {
  const uint32_t generation = generation_.load(std::memory_order_relaxed) + 1;
  function_ = function;
  context_ = context;
  num_tasks_ = static_cast<uint32_t>(num_tasks);
  num_done_.store(0, std::memory_order_relaxed);
  untaken_.store(uint64_t{generation} << 32 | num_tasks_,
                 std::memory_order_release);
  generation_.store(generation);
  generation_.notify_all();
  TakeTasks(generation, 0);
  for (;;) {
    const uint32_t num_done = num_done_.load(std::memory_order_acquire);
    if (num_done == num_tasks) break;
    join_wait_.WhileEqual(num_done_, num_done);
  }
  if (!has_failed_.load(std::memory_order_relaxed)) return;
  has_failed_.store(false, std::memory_order_relaxed);
  std::rethrow_exception(std::exchange(error_, nullptr));
}

void ThreadPool::StartBackground(std::function<void()> work) {
  background_work_ = std::move(work);
  background_.store(Background::kWaiting);
  generation_.fetch_add(1);
  generation_.notify_one();
}

void ThreadPool::JoinBackground() {
  TryBackground();
  WaitForBackground();
  if (background_error_) {
    std::rethrow_exception(std::exchange(background_error_, nullptr));
  }
}

void ThreadPool::AbandonBackground() {
  auto expected = Background::kWaiting;
  background_.compare_exchange_strong(expected, Background::kNone);
  WaitForBackground();
  background_error_ = nullptr;
}

void ThreadPool::WaitForBackground() {
  while (background_.load(std::memory_order_acquire) == Background::kRunning) {
    background_wait_.WhileEqual(background_, Background::kRunning);
  }
}

void ThreadPool::TryBackground() {
  auto expected = Background::kWaiting;
  if (!background_.compare_exchange_strong(expected, Background::kRunning)) {
    return;
  }
  try {
    background_work_();
  } catch (...) {
    background_error_ = std::current_exception();
  }
  background_.store(Background::kNone, std::memory_order_release);
  background_.notify_one();
}

// Of the task that just threw.
void ThreadPool::KeepError() {
  const std::lock_guard lock(error_mutex_);
  if (!has_failed_.load(std::memory_order_relaxed)) {
    error_ = std::current_exception();
  }
  has_failed_.store(true, std::memory_order_relaxed);
}

void ThreadPool::TakeTasks(uint32_t generation, int thread_idx) {
  uint32_t num_taken = 0, num_tasks = 0;
  uint64_t untaken = untaken_.load(std::memory_order_acquire);
  while (static_cast<uint32_t>(untaken >> 32) == generation &&
         static_cast<uint32_t>(untaken) > 0) {
    if (!untaken_.compare_exchange_weak(untaken, untaken - 1,
                                        std::memory_order_acq_rel)) {
      continue;
    }
    num_tasks = num_tasks_;
    if (!has_failed_.load(std::memory_order_relaxed)) {
      try {
        function_(context_, num_tasks - static_cast<uint32_t>(untaken),
                  thread_idx);
      } catch (...) {
        KeepError();
      }
    }
    ++num_taken;
    untaken = untaken_.load(std::memory_order_acquire);
  }
  // A worker that took nothing may be late: this counts for another job.
  if (num_taken == 0) return;
  const uint32_t num_done =
      num_done_.fetch_add(num_taken, std::memory_order_release) + num_taken;
  if (num_done == num_tasks && thread_idx != 0) num_done_.notify_one();
}

void ThreadPool::WorkerLoop(int thread_idx) {
  const FpEnvGuard fp_env;
  SpinWait wait(may_spin_);
  uint32_t seen = 0;
  for (;;) {
    wait.WhileEqual(generation_, seen);
    const uint32_t generation = generation_.load(std::memory_order_acquire);
    if (generation == seen) continue;
    seen = generation;
    if (stopping_.load()) return;
    TryBackground();
    TakeTasks(generation, thread_idx);
  }
}

}  // namespace llma
