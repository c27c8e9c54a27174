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
constexpr uint32_t kNoTask = ~uint32_t{0};

void Pause() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

uint64_t Pack(uint32_t generation, uint32_t task_idx) {
  return (uint64_t{generation} << 32) | task_idx;
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
  // Retire the last job's number first: from here on its workers take nothing.
  next_.store(Pack(generation, kNoTask));
  function_ = function;
  context_ = context;
  num_tasks_.store(static_cast<uint32_t>(num_tasks));
  num_done_.store(0);
  next_.store(Pack(generation, 0));
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
  uint64_t next = next_.load(std::memory_order_acquire);
  for (;;) {
    const auto task_idx = static_cast<uint32_t>(next);
    if (static_cast<uint32_t>(next >> 32) != generation ||
        task_idx >= num_tasks_.load(std::memory_order_relaxed)) {
      return;
    }
    if (!next_.compare_exchange_weak(next, next + 1,
                                     std::memory_order_acq_rel)) {
      continue;
    }
    function_(context_, task_idx, thread_idx);
    num_done_.fetch_add(1, std::memory_order_release);
    next = next_.load(std::memory_order_acquire);
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
