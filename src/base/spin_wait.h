// SPDX-License-Identifier: Apache-2.0
// Waiting for another thread: spinning while that pays, then sleeping. A waiter
// that spins keeps a processor from others, among them perhaps the thread that
// it waits for, and uses up what a container may have of the processors. So it
// spins long only as long as that was enough lately.
#ifndef LLMA_BASE_SPIN_WAIT_H_
#define LLMA_BASE_SPIN_WAIT_H_

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace llma {

inline void PauseThread() {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// What one thread knows of its waits for one thing.
class SpinWait {
 public:
  // Without `may_spin` it sleeps at once.
  explicit SpinWait(bool may_spin) : max_spins_(may_spin ? kMaxSpins : 0) {}

  // Returns when `word` is no longer `value`: whoever changes it notifies.
  template <class Value>
  void WhileEqual(const std::atomic<Value>& word, Value value) {
    for (int spins = 0; spins < spins_; ++spins) {
      if (word.load(std::memory_order_acquire) != value) {
        spins_ = std::min(max_spins_, spins_ + spins_ / kGrowthShare);
        return;
      }
      PauseThread();
    }
    if (word.load(std::memory_order_acquire) != value) return;
    spins_ = std::max(std::min(max_spins_, kMinSpins), spins_ / 2);
#if defined(_WIN32)
    // Where there are no futexes, libstdc++ 12 may lose who notifies, and waits
    // for ever.
    while (word.load(std::memory_order_acquire) == value) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
#else
    word.wait(value, std::memory_order_acquire);
#endif
  }

 private:
  // About 100 microseconds: longer than the serial stretches between the jobs
  // of a forward pass, shorter than what a sleeping machine would notice.
  static constexpr int kMaxSpins = 4000;
  // Longer than it takes until a thread that runs sees a job.
  static constexpr int kMinSpins = 200;
  static constexpr int kGrowthShare = 16;
  int max_spins_;
  int spins_ = max_spins_;
};

}  // namespace llma

#endif  // LLMA_BASE_SPIN_WAIT_H_
