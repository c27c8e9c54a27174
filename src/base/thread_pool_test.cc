// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <array>
#include <atomic>
#include <cfenv>
#include <chrono>
#include <fstream>
#include <new>
#include <optional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "base/machine_limits.h"

namespace llma {
namespace {

TEST(ThreadPool, RunsEveryTaskOnce) {
  for (const int num_threads : {1, 2, 3, 7}) {
    ThreadPool pool(num_threads);
    EXPECT_EQ(pool.num_threads(), num_threads);
    for (const size_t num_tasks : {0u, 1u, 2u, 5u, 64u, 1000u}) {
      std::vector<int> calls(num_tasks, 0);
      pool.ParallelFor(num_tasks, [&](size_t i) { ++calls[i]; });
      EXPECT_EQ(calls, std::vector<int>(num_tasks, 1));
    }
  }
}

TEST(ThreadPool, WorkersRoundToNearest) {
  const int before = std::fegetround();
  std::fesetround(FE_UPWARD);  // which threads inherit
  {
    ThreadPool pool(2);
    std::atomic<int> num_started{0};
    std::array<int, 2> modes{-1, -1};
    pool.ParallelFor(2, [&](size_t, int thread_idx) {
      ++num_started;
      while (num_started < pool.num_threads()) std::this_thread::yield();
      modes[static_cast<size_t>(thread_idx)] = std::fegetround();
    });
    EXPECT_EQ(modes[0], FE_UPWARD);  // the caller's
    EXPECT_EQ(modes[1], FE_TONEAREST);
  }
  std::fesetround(before);
}

TEST(ThreadPool, ManySmallJobs) {
  ThreadPool pool(4);
  std::vector<uint64_t> sums(8, 0);
  for (int round = 0; round < 20000; ++round) {
    pool.ParallelFor(sums.size(), [&](size_t i) { sums[i] += i; });
  }
  for (size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(sums[i], 20000 * i);
}

TEST(ThreadPool, BackgroundWorkRunsBesideJobs) {
  for (const int num_threads : {1, 2, 5}) {
    ThreadPool pool(num_threads);
    int backgrounds = 0;
    std::vector<uint64_t> sums(8, 0);
    for (int round = 0; round < 500; ++round) {
      BackgroundWork background(pool, [&] { ++backgrounds; });
      for (int job = 0; job < 4; ++job) {
        pool.ParallelFor(sums.size(), [&](size_t i) { sums[i] += i; });
      }
      background.Join();
      EXPECT_EQ(backgrounds, round + 1);
    }
    for (size_t i = 0; i < sums.size(); ++i) EXPECT_EQ(sums[i], 2000 * i);
  }
}

// Wholly done or not begun, but never still at it.
TEST(ThreadPool, BackgroundWorkEndsWithItsScope) {
  ThreadPool pool(2);
  int begun = 0, done = 0;
  for (int round = 0; round < 500; ++round) {
    {
      const BackgroundWork background(pool, [&] {
        ++begun;
        std::this_thread::yield();
        ++done;
      });
      if (round % 2 == 0) std::this_thread::yield();
    }
    EXPECT_EQ(begun, done);
  }
}

TEST(ThreadPool, ZeroMeansAllProcessors) {
  ThreadPool pool(0);
  EXPECT_GE(pool.num_threads(), 1);
}

// Every task may throw, on any thread, many times: the caller gets one of the
// exceptions when all threads are done, and the pool goes on.
TEST(ThreadPool, ThrowsWhatATaskThrew) {
  for (const int num_threads : {1, 2, 5}) {
    ThreadPool pool(num_threads);
    for (int round = 0; round < 300; ++round) {
      const size_t bad = static_cast<size_t>(round) % 40;
      std::atomic<int> at_work{0};
      const auto task = [&](size_t i) {
        ++at_work;
        if (i >= bad && i % 3 == bad % 3) {
          --at_work;
          throw std::bad_alloc();
        }
        std::this_thread::yield();
        --at_work;
      };
      EXPECT_THROW(pool.ParallelFor(40, task), std::bad_alloc);
      EXPECT_EQ(at_work, 0);
      std::vector<int> calls(40, 0);
      pool.ParallelFor(40, [&](size_t i) { ++calls[i]; });
      EXPECT_EQ(calls, std::vector<int>(40, 1));
    }
  }
}

TEST(ThreadPool, ThrowsWhatBackgroundWorkThrew) {
  for (const int num_threads : {1, 2, 5}) {
    ThreadPool pool(num_threads);
    for (int round = 0; round < 300; ++round) {
      BackgroundWork background(pool, [] { throw std::length_error("x"); });
      pool.ParallelFor(4, [](size_t) {});
      EXPECT_THROW(background.Join(), std::length_error);
      BackgroundWork next(pool, [] {});
      EXPECT_NO_THROW(next.Join());
    }
  }
}

// As when the caller runs out of memory beside it.
TEST(ThreadPool, BackgroundWorkEndsWhenTheCallerThrows) {
  for (const int num_threads : {1, 2, 5}) {
    ThreadPool pool(num_threads);
    for (int round = 0; round < 300; ++round) {
      std::atomic<int> at_work{0};
      try {
        const BackgroundWork background(pool, [&] {
          ++at_work;
          std::this_thread::yield();
          --at_work;
          throw std::bad_alloc();
        });
        if (round % 2 == 0) pool.ParallelFor(4, [](size_t) {});
        throw std::runtime_error("x");
      } catch (const std::runtime_error&) {
      }
      EXPECT_EQ(at_work, 0);
    }
    int calls = 0;
    BackgroundWork background(pool, [&] { ++calls; });
    background.Join();
    EXPECT_EQ(calls, 1);
  }
}

// More threads than processors must sleep while they wait: the processor time
// of a pool whose caller is busy elsewhere stays small.
TEST(ThreadPool, ThreadsBeyondTheProcessorsDoNotSpin) {
  const auto processor_seconds = [] {
    struct rusage usage;
    ::getrusage(RUSAGE_SELF, &usage);
    return static_cast<double>(usage.ru_utime.tv_sec) +
           static_cast<double>(usage.ru_utime.tv_usec) * 1e-6 +
           static_cast<double>(usage.ru_stime.tv_sec) +
           static_cast<double>(usage.ru_stime.tv_usec) * 1e-6;
  };
  const int num_threads = 8 * NumProcessors();
  ThreadPool pool(num_threads);
  const double before = processor_seconds();
  constexpr int kJobs = 20;
  for (int job = 0; job < kJobs; ++job) {
    pool.ParallelFor(2, [](size_t i) {
      if (i == 0) std::this_thread::sleep_for(std::chrono::milliseconds(20));
    });
  }
  // A caller that spins or yields uses all of these 0.4 s.
  EXPECT_LT(processor_seconds() - before, 0.2);
}

#if !LLMA_IS_SLOW
// Sanitizers need more address space than a limit leaves, and emulators know no
// limits.
TEST(ThreadPool, HasFewerThreadsWhereThereAreNoMore) {
  uint64_t mapped_pages = 0;
  std::ifstream("/proc/self/statm") >> mapped_pages;
  struct rlimit saved;
  ASSERT_EQ(::getrlimit(RLIMIT_AS, &saved), 0);
  struct rlimit lower = saved;
  // Stacks of threads usually have 8 MiB.
  lower.rlim_cur = mapped_pages * 4096 + (24 << 20);
  ASSERT_EQ(::setrlimit(RLIMIT_AS, &lower), 0);
  {
    std::optional<ThreadPool> pool;
    EXPECT_NO_THROW(pool.emplace(64));
    if (pool) {
      EXPECT_LT(pool->num_threads(), 64);
      std::vector<int> calls(100, 0);
      pool->ParallelFor(100, [&](size_t i) { ++calls[i]; });
      EXPECT_EQ(calls, std::vector<int>(100, 1));
    }
  }
  ::setrlimit(RLIMIT_AS, &saved);
}
#endif

}  // namespace
}  // namespace llma
