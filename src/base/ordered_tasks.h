// SPDX-License-Identifier: Apache-2.0
// Tasks that run side by side and give their results in the order in which they
// were started.
#ifndef LLMA_BASE_ORDERED_TASKS_H_
#define LLMA_BASE_ORDERED_TASKS_H_

#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <system_error>
#include <utility>

namespace llma {

// Thread-compatible. Tasks must not throw. The destructor waits for them.
template <class Value>
class OrderedTasks {
 public:
  // Starts a task on a thread of its own, or, unless `in_background`, keeps it
  // for TakeFirst(), which then runs it on the caller's.
  void Start(bool in_background, std::function<Value()> task) {
    if (in_background) {
      try {
        running_.push_back(std::async(std::launch::async, task));
        return;
      } catch (const std::system_error&) {
        // No more threads: the caller does it.
      }
    }
    running_.push_back(std::async(std::launch::deferred, std::move(task)));
  }

  size_t size() const { return running_.size(); }

  // The result of the oldest task, when it is done. There must be one.
  Value TakeFirst() {
    std::future<Value> first = std::move(running_.front());
    running_.pop_front();
    return first.get();
  }

 private:
  std::deque<std::future<Value>> running_;
};

}  // namespace llma

#endif  // LLMA_BASE_ORDERED_TASKS_H_
