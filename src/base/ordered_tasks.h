// SPDX-License-Identifier: Apache-2.0
// Tasks that run side by side and give their results in the order in which they
// were started.
#ifndef LLMA_BASE_ORDERED_TASKS_H_
#define LLMA_BASE_ORDERED_TASKS_H_

#include <chrono>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <system_error>
#include <utility>

#include "base/fp_env.h"

namespace llma {

// Thread-compatible. The destructor waits for the tasks.
template <class Value>
class OrderedTasks {
 public:
  // Starts a task on a thread of its own, or, unless `in_background` or where
  // the system gives no more threads, keeps it for TakeFirst(), which then runs
  // it on the caller's. The task is told whether it has a thread of its own.
  void Start(bool in_background, std::function<Value(bool)> task) {
    // Shared, for where there is no thread the task is still needed.
    const auto shared = std::make_shared<const std::function<Value(bool)>>(
        [task = std::move(task)](bool has_thread) {
          const FpEnvGuard fp_env;
          return task(has_thread);
        });
    if (in_background) {
      try {
        running_.push_back(std::async(std::launch::async,
                                      [shared] { return (*shared)(true); }));
        return;
      } catch (const std::system_error&) {
      }
    }
    running_.push_back(std::async(std::launch::deferred,
                                  [shared] { return (*shared)(false); }));
  }

  size_t size() const { return running_.size(); }

  // Whether TakeFirst() would neither wait nor run anything.
  bool IsFirstDone() const {
    return !running_.empty() &&
           running_.front().wait_for(std::chrono::seconds(0)) ==
               std::future_status::ready;
  }

  // Waits so long at most. Whether TakeFirst() need not wait, though it may run
  // the task. There must be one.
  bool AwaitFirst(std::chrono::milliseconds limit) {
    return running_.front().wait_for(limit) != std::future_status::timeout;
  }

  // The result of the oldest task, when it is done, or what it threw. There
  // must be one.
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
