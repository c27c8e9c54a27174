// SPDX-License-Identifier: Apache-2.0
// Adds up the progress of frames that are coded side by side.
#ifndef LLMA_CODEC_SHARED_PROGRESS_H_
#define LLMA_CODEC_SHARED_PROGRESS_H_

#include <memory>
#include <mutex>
#include <utility>

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

  // For one frame.
  ProgressCallback OfFrame() {
    return [this, last = CodecProgress{}](const CodecProgress& now) mutable {
      const std::lock_guard lock(mutex_);
      sum_.done_bytes += now.done_bytes - last.done_bytes;
      sum_.coded_bytes += now.coded_bytes - last.coded_bytes;
      last = now;
      is_cancelled_ = is_cancelled_ || (callback_ && !callback_(sum_));
      return !is_cancelled_;
    };
  }

 private:
  const ProgressCallback callback_;
  std::mutex mutex_;
  CodecProgress sum_;
  bool is_cancelled_ = false;
};

}  // namespace llma

#endif  // LLMA_CODEC_SHARED_PROGRESS_H_
