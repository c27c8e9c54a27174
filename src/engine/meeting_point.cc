// SPDX-License-Identifier: Apache-2.0
#include "engine/meeting_point.h"

#include <utility>

namespace llma {

void MeetingPoint::Come(Member& member) {
  std::unique_lock lock(mutex_);
  come_.push_back(&member);
  if (std::exchange(member.has_turn_, false)) --num_working_;
  for (;;) {
    GiveTurns();
    if (member.has_turn_) return;
    if (!CanMeet()) {
      member.is_awake_.wait(lock);
      continue;
    }
    const std::vector<Member*> members = std::exchange(come_, {});
    is_meeting_ = true;
    lock.unlock();
    Meet(members);
    lock.lock();
    is_meeting_ = false;
    // This thread is awake already.
    waiting_.push_back(&member);
    for (Member* other : members) {
      if (other != &member) waiting_.push_back(other);
    }
  }
}

void MeetingPoint::Leave(Member& member) {
  const std::lock_guard lock(mutex_);
  if (!std::exchange(member.has_turn_, false)) return;
  --num_working_;
  GiveTurns();
  if (CanMeet()) come_.front()->is_awake_.notify_one();
}

void MeetingPoint::GiveTurns() {
  while (num_working_ < num_turns_ && !waiting_.empty()) {
    waiting_.front()->has_turn_ = true;
    waiting_.front()->is_awake_.notify_one();
    waiting_.pop_front();
    ++num_working_;
  }
}

}  // namespace llma
