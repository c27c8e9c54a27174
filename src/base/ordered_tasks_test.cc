// SPDX-License-Identifier: Apache-2.0
#include "base/ordered_tasks.h"

#include <gtest/gtest.h>

#include <cfenv>
#include <new>
#include <thread>

namespace llma {
namespace {

TEST(OrderedTasks, ResultsComeInOrder) {
  for (const bool in_background : {false, true}) {
    OrderedTasks<int> tasks;
    for (int i = 0; i < 20; ++i) tasks.Start(in_background, [i] { return i; });
    for (int i = 0; i < 20; ++i) EXPECT_EQ(tasks.TakeFirst(), i);
    EXPECT_EQ(tasks.size(), 0u);
  }
}

TEST(OrderedTasks, ThrowsWhatATaskThrew) {
  for (const bool in_background : {false, true}) {
    OrderedTasks<int> tasks;
    tasks.Start(in_background, []() -> int { throw std::bad_alloc(); });
    tasks.Start(in_background, [] { return 7; });
    EXPECT_THROW(tasks.TakeFirst(), std::bad_alloc);
    EXPECT_EQ(tasks.TakeFirst(), 7);
  }
}

TEST(OrderedTasks, TasksRoundToNearest) {
  const int before = std::fegetround();
  std::fesetround(FE_UPWARD);
  for (const bool in_background : {false, true}) {
    OrderedTasks<int> tasks;
    tasks.Start(in_background, [] { return std::fegetround(); });
    EXPECT_EQ(tasks.TakeFirst(), FE_TONEAREST);
  }
  EXPECT_EQ(std::fegetround(), FE_UPWARD);
  std::fesetround(before);
}

}  // namespace
}  // namespace llma
