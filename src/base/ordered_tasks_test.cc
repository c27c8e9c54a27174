// SPDX-License-Identifier: Apache-2.0
#include "base/ordered_tasks.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <future>
#include <new>
#include <thread>

namespace llma {
namespace {

TEST(OrderedTasks, ResultsComeInOrder) {
  for (const bool in_background : {false, true}) {
    OrderedTasks<int> tasks;
    for (int i = 0; i < 20; ++i) {
      tasks.Start(in_background, [i](bool) { return i; });
    }
    for (int i = 0; i < 20; ++i) EXPECT_EQ(tasks.TakeFirst(), i);
    EXPECT_EQ(tasks.size(), 0u);
  }
}

TEST(OrderedTasks, TellsWhetherTheFirstIsDone) {
  OrderedTasks<int> tasks;
  EXPECT_FALSE(tasks.IsFirstDone());
  std::promise<void> go;
  tasks.Start(true, [&](bool) {
    go.get_future().wait();
    return 1;
  });
  tasks.Start(false, [](bool) { return 2; });
  EXPECT_FALSE(tasks.IsFirstDone());
  EXPECT_FALSE(tasks.AwaitFirst(std::chrono::milliseconds(1)));
  go.set_value();
  while (!tasks.IsFirstDone()) std::this_thread::yield();
  EXPECT_EQ(tasks.TakeFirst(), 1);
  EXPECT_FALSE(tasks.IsFirstDone());  // it would run
  EXPECT_TRUE(tasks.AwaitFirst(std::chrono::milliseconds(1)));
  EXPECT_EQ(tasks.TakeFirst(), 2);
}

TEST(OrderedTasks, ATaskKnowsWhetherItHasAThread) {
  for (const bool in_background : {false, true}) {
    OrderedTasks<bool> tasks;
    tasks.Start(in_background, [](bool has_thread) { return has_thread; });
    EXPECT_EQ(tasks.TakeFirst(), in_background);
  }
}

TEST(OrderedTasks, ThrowsWhatATaskThrew) {
  for (const bool in_background : {false, true}) {
    OrderedTasks<int> tasks;
    tasks.Start(in_background, [](bool) -> int { throw std::bad_alloc(); });
    tasks.Start(in_background, [](bool) { return 7; });
    EXPECT_THROW(tasks.TakeFirst(), std::bad_alloc);
    EXPECT_EQ(tasks.TakeFirst(), 7);
  }
}

TEST(OrderedTasks, TasksRoundToNearest) {
  const int before = std::fegetround();
  std::fesetround(FE_UPWARD);
  for (const bool in_background : {false, true}) {
    OrderedTasks<int> tasks;
    tasks.Start(in_background, [](bool) { return std::fegetround(); });
    EXPECT_EQ(tasks.TakeFirst(), FE_TONEAREST);
  }
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(before);
}

}  // namespace
}  // namespace llma
