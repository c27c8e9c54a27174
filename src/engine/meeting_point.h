// SPDX-License-Identifier: Apache-2.0
// Threads that work by turns and meet again and again, for what is done for all
// of them at once.
#ifndef LLMA_ENGINE_MEETING_POINT_H_
#define LLMA_ENGINE_MEETING_POINT_H_

#include <condition_variable>
#include <mutex>
#include <span>
#include <vector>

namespace llma {

// Who has come once has a turn of work after each meeting and comes again when
// it is over; the next meeting begins as soon as nobody has a turn or waits for
// one. So nothing is timed, and one thread alone never waits. Who is not in a
// turn because its caller is slow would hold up the others: work of a turn must
// go on by itself. Thread-safe.
class MeetingPoint {
 public:
  // One thread's part. Derived classes leave before they are destroyed.
  class Member {
   public:
    virtual ~Member() = default;

   private:
    friend class MeetingPoint;
    bool has_turn_ = false;
    Member* next_ = nullptr;  // of those that wait for a turn
    std::condition_variable is_awake_;
  };

  // So many turns run side by side.
  explicit MeetingPoint(int num_turns) : num_turns_(num_turns) {}
  virtual ~MeetingPoint() = default;
  MeetingPoint(const MeetingPoint&) = delete;
  MeetingPoint& operator=(const MeetingPoint&) = delete;

  // Ends the member's turn; returns after the next meeting, in its next one.
  // Where there is no memory it throws first, and the turn goes on.
  void Come(Member& member);
  // The member, which may never have come, will not come again.
  void Leave(Member& member);

 private:
  // Called by the thread of one of those who have come, without a lock; nobody
  // has a turn meanwhile. Must not throw.
  virtual void Meet(std::span<Member* const> members) = 0;

  bool CanMeet() const {
    return !is_meeting_ && num_working_ == 0 && first_waiting_ == nullptr &&
           !come_.empty();
  }
  void GiveTurns();
  void AwaitTurn(Member& member);

  const int num_turns_;
  std::mutex mutex_;
  bool is_meeting_ = false;
  int num_working_ = 0;
  std::vector<Member*> come_;     // to the next meeting
  std::vector<Member*> meeting_;  // the one that goes on
  // For a turn after the last one: a list that needs no memory.
  Member* first_waiting_ = nullptr;
  Member* last_waiting_ = nullptr;
};

}  // namespace llma

#endif  // LLMA_ENGINE_MEETING_POINT_H_
