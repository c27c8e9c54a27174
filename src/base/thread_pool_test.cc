// SPDX-License-Identifier: Apache-2.0
#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <vector>

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

TEST(ThreadPool, BackgroundWorkIsJoinedAtItsEnd) {
  ThreadPool pool(2);
  int backgrounds = 0;
  for (int round = 0; round < 500; ++round) {
    {
      const BackgroundWork background(pool, [&] { ++backgrounds; });
    }
    EXPECT_EQ(backgrounds, round + 1);
  }
}

TEST(ThreadPool, ZeroMeansAllProcessors) {
  ThreadPool pool(0);
  EXPECT_GE(pool.num_threads(), 1);
}

}  // namespace
}  // namespace llma
