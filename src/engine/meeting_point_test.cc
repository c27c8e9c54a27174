// SPDX-License-Identifier: Apache-2.0
#include "engine/meeting_point.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

namespace llma {
namespace {

class CountingPoint : public MeetingPoint {
 public:
  explicit CountingPoint(int num_turns)
      : MeetingPoint(num_turns), num_turns_(num_turns) {}

  void BeginTurn() { EXPECT_LE(++num_working_, num_turns_); }
  void EndTurn() { --num_working_; }
  const std::vector<size_t>& sizes() const { return sizes_; }

 private:
  void Meet(std::span<Member* const> members) override {
    EXPECT_EQ(num_working_, 0);
    EXPECT_EQ(std::set(members.begin(), members.end()).size(), members.size());
    sizes_.push_back(members.size());
  }

  const int num_turns_;
  std::atomic<int> num_working_ = 0;
  std::vector<size_t> sizes_;  // of meetings
};

class Counter : public MeetingPoint::Member {};

TEST(MeetingPoint, OneAloneMeetsAtOnce) {
  CountingPoint point(2);
  Counter counter, other;
  for (int i = 0; i < 3; ++i) point.Come(counter);
  EXPECT_EQ(point.sizes(), std::vector<size_t>(3, 1));
  point.Leave(other);  // which never came
  point.Leave(counter);
  point.Come(other);
  EXPECT_EQ(point.sizes().size(), 4u);
  point.Leave(other);
}

TEST(MeetingPoint, AllMeetWhoHaveComeOnce) {
  constexpr size_t kThreads = 9;
  for (const int num_turns : {1, 2, 7}) {
    CountingPoint point(num_turns);
    std::atomic<size_t> num_met = 0;
    std::vector<std::thread> threads;
    for (size_t i = 0; i < kThreads; ++i) {
      threads.emplace_back([&, i] {
        Counter counter;
        // They end after different times.
        for (size_t k = 0; k < 20 + 10 * i; ++k) {
          point.Come(counter);
          point.BeginTurn();
          ++num_met;
          point.EndTurn();
        }
        point.Leave(counter);
      });
    }
    for (std::thread& thread : threads) thread.join();
    size_t sum = 0;
    for (const size_t size : point.sizes()) sum += size;
    EXPECT_EQ(sum, num_met);
    // The one that comes most often is at all meetings from its first one on.
    EXPECT_GE(point.sizes().size(), 20 + 10 * (kThreads - 1));
    EXPECT_LE(*std::ranges::max_element(point.sizes()), kThreads);
  }
}

}  // namespace
}  // namespace llma
