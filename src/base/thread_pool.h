// SPDX-License-Identifier: Apache-2.0
// A thread pool whose fork and join cost about a microsecond: threads spin for
// a short while before they sleep, as long as that proves worth it. Results
// never depend on the number of threads, because tasks write disjoint outputs.
#ifndef LLMA_BASE_THREAD_POOL_H_
#define LLMA_BASE_THREAD_POOL_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <exception>
#include <functional>
#include <mutex>
#include <thread>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/spin_wait.h"

namespace llma {

// Thread-compatible: one caller at a time. Tasks and background work must not
// use the pool themselves. What they throw arrives at the caller.
class ThreadPool {
 public:
  // `num_threads` counts the caller; 0 means all processors of this process.
  // Where the system gives no more threads, the pool has fewer.
  explicit ThreadPool(int num_threads);
  ~ThreadPool();
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Whether each thread has a processor, so that one may spin while it waits.
  bool may_spin() const { return may_spin_; }
  int num_threads() const { return static_cast<int>(workers_.size()) + 1; }

  // Calls task(i), or task(i, thread_idx), once for each i in [0, num_tasks)
  // and returns when all are done. thread_idx < num_threads() names a thread,
  // for scratch memory. If a task throws, those that no thread has begun are
  // left out, and the first exception is thrown here when no thread is at a
  // task.
  template <class Task>
  void ParallelFor(size_t num_tasks, const Task& task) {
    if (workers_.empty() || num_tasks <= 1) {
      for (size_t i = 0; i < num_tasks; ++i) Call(task, i, 0);
      return;
    }
    Run(
        num_tasks,
        [](const void* context, size_t i, int thread_idx) {
          Call(*static_cast<const Task*>(context), i, thread_idx);
        },
        &task);
  }

 private:
  friend class BackgroundWork;
  enum class Background : uint32_t { kNone, kWaiting, kRunning };
  using TaskFunction = void (*)(const void* context, size_t task_idx,
                                int thread_idx);
  template <class Task>
  static void Call(const Task& task, size_t i, int thread_idx) {
    if constexpr (std::is_invocable_v<Task, size_t, int>) {
      task(i, thread_idx);
    } else {
      task(i);
    }
  }
  void Run(size_t num_tasks, TaskFunction function, const void* context);
  void StartBackground(std::function<void()> work);
  // Returns when it is done; throws what it threw.
  void JoinBackground();
  // The same, but what has not begun is left out, and nothing is thrown.
  void AbandonBackground();
  void WaitForBackground();
  void WorkerLoop(int thread_idx);
  void TakeTasks(uint32_t generation, int thread_idx);
  void TryBackground();
  void KeepError();

  // What threads wait for, take tasks from and report to lies in a cache line
  // each, so that none of it slows the others.
  static constexpr size_t kLineBytes = 64;

  // Changes when there is a new job or background work, and when stopping;
  // workers wait on it.
  alignas(kLineBytes) std::atomic<uint32_t> generation_{0};
  // The job. It stays as it is until all its tasks are done.
  alignas(kLineBytes) TaskFunction function_ = nullptr;
  const void* context_ = nullptr;
  uint32_t num_tasks_ = 0;
  // The job's number (high 32 bits) and how many of its tasks no thread has
  // taken (low 32 bits), so a late worker can never take a task of another job.
  alignas(kLineBytes) std::atomic<uint64_t> untaken_{0};
  alignas(kLineBytes) std::atomic<uint32_t> num_done_{0};

  alignas(kLineBytes) std::atomic<bool> stopping_{false};
  std::atomic<Background> background_{Background::kNone};
  std::function<void()> background_work_;
  std::exception_ptr background_error_;
  // Of the job: whether a task threw, and what the first one did.
  std::atomic<bool> has_failed_{false};
  std::mutex error_mutex_;
  std::exception_ptr error_;
  const bool may_spin_;
  SpinWait join_wait_, background_wait_;
  std::vector<std::thread> workers_;
};

// Work for a worker that is free, so that it runs beside the caller's next
// jobs, which the other threads do meanwhile. One at a time.
class BackgroundWork {
 public:
  BackgroundWork(ThreadPool& pool, std::function<void()> work) : pool_(&pool) {
    pool.StartBackground(std::move(work));
  }
  // Waits for work that has begun; other work is left out, and so is what it
  // threw.
  ~BackgroundWork() {
    if (pool_ != nullptr) pool_->AbandonBackground();
  }
  BackgroundWork(const BackgroundWork&) = delete;
  BackgroundWork& operator=(const BackgroundWork&) = delete;

  // Returns when it is done; the caller does it if no worker has begun. Throws
  // what the work threw.
  void Join() {
    if (pool_ != nullptr) std::exchange(pool_, nullptr)->JoinBackground();
  }

 private:
  ThreadPool* pool_;  // null: joined
};

}  // namespace llma

#endif  // LLMA_BASE_THREAD_POOL_H_
