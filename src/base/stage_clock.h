// SPDX-License-Identifier: Apache-2.0
// Where the time of a run goes, for `llma bench`.
#ifndef LLMA_BASE_STAGE_CLOCK_H_
#define LLMA_BASE_STAGE_CLOCK_H_

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace llma {

enum class Stage {
  kMatmul,        // matrix products of the layers
  kAttention,     // scores, weights, sums of values
  kElementwise,   // norms, gates, rotations, quantising
  kHead,          // the final layer
  kTokenWeights,  // softmax over the tokens, sums, paths
  kCoding,        // decisions, context models, arithmetic coder
  kOther,         // also steps of a model that learns
};
inline constexpr size_t kNumStages = static_cast<size_t>(Stage::kOther) + 1;

// Adds up the time between changes of stage, and the work that was done.
// Thread-compatible; fed by the thread that leads the work, so a stage's time
// is not multiplied by threads.
class StageClock {
 public:
  using Clock = std::chrono::steady_clock;

  // From now on time counts for `stage`.
  void Enter(Stage stage) {
    const Clock::time_point now = Clock::now();
    seconds_[static_cast<size_t>(stage_)] +=
        std::chrono::duration<double>(now - since_).count();
    stage_ = stage;
    since_ = now;
  }
  // What another one measured.
  void Add(const StageClock& other) {
    for (size_t i = 0; i < kNumStages; ++i) seconds_[i] += other.seconds_[i];
    multiply_adds_ += other.multiply_adds_;
    positions_ += other.positions_;
  }
  double seconds(Stage stage) const {
    return seconds_[static_cast<size_t>(stage)];
  }

  // int8 multiply-adds of matrix products and attention.
  void AddMultiplyAdds(uint64_t count) { multiply_adds_ += count; }
  uint64_t multiply_adds() const { return multiply_adds_; }
  // Positions that the model ran over, guesses included.
  void AddPositions(uint64_t count) { positions_ += count; }
  uint64_t positions() const { return positions_; }

 private:
  std::array<double, kNumStages> seconds_ = {};
  uint64_t multiply_adds_ = 0;
  uint64_t positions_ = 0;
  Stage stage_ = Stage::kOther;
  Clock::time_point since_ = Clock::now();
};

// `clock` may be null.
inline void EnterStage(StageClock* clock, Stage stage) {
  if (clock != nullptr) clock->Enter(stage);
}

}  // namespace llma

#endif  // LLMA_BASE_STAGE_CLOCK_H_
