// SPDX-License-Identifier: Apache-2.0
// Finds the longest recent repetition of what a lane has just read, in that
// lane or else in any, and predicts the byte that followed it.
#ifndef LLMA_CM_MATCH_MODEL_H_
#define LLMA_CM_MATCH_MODEL_H_

#include <cstdint>
#include <span>
#include <vector>

#include "cm/counters.h"
#include "cm/lane_history.h"
#include "cm/zeroed_array.h"

namespace llma::cm {

// One model for one minimum length; its table and estimates are shared by all
// lanes. Thread-compatible.
class MatchModel {
 public:
  static constexpr int kNumInputs = 2;

  // Looks for repetitions of at least min_length bytes (at most 32). With
  // several lanes a table of a quarter of the size finds each lane's own first.
  MatchModel(int min_length, int log2_entries, bool has_several_lanes,
             PageSource pages);

  // Before a byte: follows or finds a match. lanes[lane].match[which] is this
  // model's state there. content: the bytes of all lanes.
  void BeginByte(const uint8_t* content, std::span<LaneHistory> lanes,
                 uint32_t lane, MatchState& state);

  // Before a bit. partial: the byte's bits so far after a leading 1.
  // Writes kNumInputs mixer inputs.
  void Predict(uint32_t partial, int16_t* inputs);
  void Update(int bit);

  // The length in about 4 bits, 0 without a prediction; while the byte agrees.
  uint32_t length_bucket() const { return agrees_ ? bucket_ : 0; }
  // The predicted byte plus 256, 0 without a prediction.
  uint32_t expected() const { return agrees_ ? expected_ : 0; }
  uint32_t expected_bit() const { return bit_; }

 private:
  uint32_t Hash(const uint8_t* content, const LaneHistory& here) const;
  // Takes the repetition after `source_ofs` if it is long enough.
  void Try(const uint8_t* content, std::span<const LaneHistory> lanes,
           const LaneHistory& here, uint32_t source_ofs,
           MatchState& state) const;

  uint32_t min_length_;
  int shift_;
  ZeroedArray<uint32_t> table_;           // hash -> offset in the content
  ZeroedArray<uint32_t> own_table_;       // the same by lane, or empty
  std::vector<AdaptiveBit32> estimates_;  // [bucket, miss history, bit number]
  uint32_t expected_ = 0;
  uint32_t bucket_ = 0;
  uint32_t context_ = 0;
  uint32_t bit_ = 0;
  uint32_t estimate_ = 0;
  bool agrees_ = false;
};

}  // namespace llma::cm

#endif  // LLMA_CM_MATCH_MODEL_H_
