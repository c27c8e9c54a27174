// SPDX-License-Identifier: Apache-2.0
// How far the work is, for a caller of the C interface.
#ifndef LLMA_API_API_PROGRESS_H_
#define LLMA_API_API_PROGRESS_H_

#include <llma/llma.h>

#include <chrono>

#include "api/api_callback.h"

namespace llma::api {

// Reports at once, then at most ten times a second. Thread-compatible.
class ProgressTeller {
 public:
  ProgressTeller(llma_progress_fn tell, void* user)
      : tell_(tell), user_(user) {}

  // False: the caller wants no more.
  bool Tell(uint64_t done_bytes, uint64_t total_bytes, uint64_t coded_bytes) {
    if (tell_ == nullptr) return true;
    const auto now = Clock::now();
    if (now < next_) return true;
    next_ = now + std::chrono::milliseconds(100);
    const llma_progress progress = {sizeof(llma_progress), done_bytes,
                                    total_bytes, coded_bytes};
    return CallBack(tell_, user_, &progress) == 0;
  }

 private:
  using Clock = std::chrono::steady_clock;
  const llma_progress_fn tell_;
  void* const user_;
  Clock::time_point next_{};
};

}  // namespace llma::api

#endif  // LLMA_API_API_PROGRESS_H_
