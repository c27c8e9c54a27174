// SPDX-License-Identifier: Apache-2.0
#include "store/retry_wait.h"

#include <algorithm>
#include <chrono>
#include <thread>

namespace llma::store {
namespace {

using std::chrono::steady_clock;

constexpr uint64_t kMaxSeconds = 310;
constexpr uint64_t kLongSeconds = 5;
constexpr std::chrono::milliseconds kStep(100);

}  // namespace

uint64_t SecondsBeforeTry(int num_failures) {
  return num_failures < 2 ? 0 : uint64_t{1} << std::min(num_failures - 2, 8);
}

Status WaitToRetry(const std::string& url, uint64_t seconds,
                   const RetryCallbacks& callbacks) {
  if (seconds > kMaxSeconds) {
    return Error{ErrorCode::kIo, url +
                                     ": the host has had too many requests: "
                                     "run this again after " +
                                     std::to_string(seconds) + " seconds"};
  }
  if (seconds >= kLongSeconds && callbacks.note) {
    callbacks.note("the host is asked again after " + std::to_string(seconds) +
                   " seconds");
  }
  const auto end =
      steady_clock::now() + std::chrono::seconds(static_cast<int64_t>(seconds));
  for (;;) {
    if (callbacks.go_on && !callbacks.go_on()) {
      return Error{ErrorCode::kCancelled, "cancelled"};
    }
    const auto now = steady_clock::now();
    if (now >= end) return OkStatus();
    std::this_thread::sleep_for(
        std::min<steady_clock::duration>(kStep, end - now));
  }
}

}  // namespace llma::store
