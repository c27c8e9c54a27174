// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <sched.h>

#include <algorithm>

#include "base/fp_env.h"

namespace llma {
namespace {

// About 100 microseconds: longer than the serial stretches between the jobs of
// a forward pass, shorter than what a sleeping machine would notice.
constexpr int kSpins = 4000;

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

}  // namespace

int ThreadPool::NumProcessors() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof(set), &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::max(1u, std::thread::hardware_concurrency()));
}

ThreadPool::ThreadPool(int num_threads) {
  const int total = num_threads > 0 ? num_threads : NumProcessors();
  for (int i = 1; i < total; ++i) {
    workers_.emplace_back([this, i] { WorkerLoop(i); });
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
  for (int spins = 0; num_done_.load(std::memory_order_acquire) != num_tasks;
       ++spins) {
    if (spins < kSpins) {
      Pause();
    } else {
      std::this_thread::yield();
    }
  }
}

void ThreadPool::StartBackground(std::function<void()> work) {
  background_work_ = std::move(work);
  background_.store(Background::kWaiting);
  generation_.fetch_add(1);
  generation_.notify_one();
}

void ThreadPool::JoinBackground() {
  TryBackground();
  while (background_.load(std::memory_order_acquire) != Background::kNone) {
    std::this_thread::yield();
  }
}

void ThreadPool::TryBackground() {
  auto expected = Background::kWaiting;
  if (!background_.compare_exchange_strong(expected, Background::kRunning)) {
    return;
  }
  background_work_();
  background_.store(Background::kNone, std::memory_order_release);
}

void ThreadPool::TakeTasks(uint32_t generation, int thread_idx) {
  uint32_t num_taken = 0;
  uint64_t untaken = untaken_.load(std::memory_order_acquire);
  while (static_cast<uint32_t>(untaken >> 32) == generation &&
         static_cast<uint32_t>(untaken) > 0) {
    if (!untaken_.compare_exchange_weak(untaken, untaken - 1,
                                        std::memory_order_acq_rel)) {
      continue;
    }
    function_(context_, num_tasks_ - static_cast<uint32_t>(untaken),
              thread_idx);
    ++num_taken;
    untaken = untaken_.load(std::memory_order_acquire);
  }
  // A worker that took nothing may be late: this counts for another job.
  if (num_taken > 0) {
    num_done_.fetch_add(num_taken, std::memory_order_release);
  }
}

void ThreadPool::WorkerLoop(int thread_idx) {
  const FpEnvGuard fp_env;
  uint32_t seen = 0;
  for (;;) {
    uint32_t generation = generation_.load(std::memory_order_acquire);
    for (int spins = 0; generation == seen && spins < kSpins; ++spins) {
      Pause();
      generation = generation_.load(std::memory_order_acquire);
    }
    if (generation == seen) {
      generation_.wait(seen);
      continue;
    }
    seen = generation;
    if (stopping_.load()) return;
    TryBackground();
    TakeTasks(generation, thread_idx);
  }
}

}  // namespace llma
