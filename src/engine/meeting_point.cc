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
    is_meeting_ = true;
    std::swap(come_, meeting_);
    lock.unlock();
    Meet(meeting_);
    lock.lock();
    is_meeting_ = false;
    // This thread is awake already.
    AwaitTurn(member);
    for (Member* other : meeting_) {
      if (other != &member) AwaitTurn(*other);
    }
    meeting_.clear();
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
  while (num_working_ < num_turns_ && first_waiting_ != nullptr) {
    Member& member = *std::exchange(first_waiting_, first_waiting_->next_);
    member.has_turn_ = true;
    member.is_awake_.notify_one();
    ++num_working_;
  }
}

void MeetingPoint::AwaitTurn(Member& member) {
  member.next_ = nullptr;
  (first_waiting_ == nullptr ? first_waiting_ : last_waiting_->next_) = &member;
  last_waiting_ = &member;
}

}  // namespace llma
