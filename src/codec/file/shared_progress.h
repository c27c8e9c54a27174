// SPDX-License-Identifier: Apache-2.0
// Adds up the progress of frames that are coded side by side. The thread that
// waits for them tells of it: the caller's, which alone may do anything, such
// as handle signals.
#ifndef LLMA_CODEC_SHARED_PROGRESS_H_
#define LLMA_CODEC_SHARED_PROGRESS_H_

#include <chrono>
#include <mutex>
#include <utility>

#include "base/ordered_tasks.h"
#include "codec/callbacks.h"

namespace llma {

// Thread-safe.
class SharedProgress {
 public:
  SharedProgress(ProgressCallback callback, uint64_t total_bytes)
      : callback_(std::move(callback)), sum_{0, total_bytes, 0} {}

  // What was done before.
  void Start(uint64_t done_bytes, uint64_t coded_bytes) {
    sum_.done_bytes = done_bytes;
    sum_.coded_bytes = coded_bytes;
  }

  // From any thread: frames that are being coded end soon.
  void Cancel() {
    const std::lock_guard lock(mutex_);
    is_cancelled_ = true;
  }

  // For one frame, which tells if it is coded on the thread of the caller.
  ProgressCallback OfFrame(bool has_thread) {
    return [this, has_thread,
            last = CodecProgress{}](const CodecProgress& now) mutable {
      const std::lock_guard lock(mutex_);
      sum_.done_bytes += now.done_bytes - last.done_bytes;
      sum_.coded_bytes += now.coded_bytes - last.coded_bytes;
      last = now;
      return has_thread ? !is_cancelled_ : TellCaller();
    };
  }

  // Takes the result of the oldest task, telling while it waits. An error if
  // the caller wants no more.
  template <class Value>
  Result<Value> TakeFirst(OrderedTasks<Value>& tasks) {
    do {
      LLMA_TRY(Tell());
    } while (!tasks.AwaitFirst(kInterval));
    Value first = tasks.TakeFirst();
    LLMA_TRY(Tell());
    return first;
  }

 private:
  // So soon a caller's wish to end is heard.
  static constexpr std::chrono::milliseconds kInterval{20};

  Status Tell() {
    const std::lock_guard lock(mutex_);
    if (TellCaller()) return OkStatus();
    return Error{ErrorCode::kCancelled, "cancelled"};
  }
  bool TellCaller() {
    is_cancelled_ = is_cancelled_ || (callback_ && !callback_(sum_));
    return !is_cancelled_;
  }

  const ProgressCallback callback_;
  std::mutex mutex_;
  CodecProgress sum_;
  bool is_cancelled_ = false;
};

}  // namespace llma

#endif  // LLMA_CODEC_SHARED_PROGRESS_H_
