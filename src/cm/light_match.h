// SPDX-License-Identifier: Apache-2.0
// The match model of LightPredictor: follows the longest recent repetition of
// what was just read. As MatchModel, for one lane, and arranged so that no
// memory is waited for: the table is asked a byte before its answer is needed.
#ifndef LLMA_CM_LIGHT_MATCH_H_
#define LLMA_CM_LIGHT_MATCH_H_

#include <array>
#include <cstdint>

#include "cm/counters.h"
#include "cm/logistic.h"
#include "cm/zeroed_array.h"

namespace llma::cm {

// Thread-compatible.
class LightMatch {
 public:
  static constexpr int kNumInputs = 2;

  LightMatch(uint64_t content_bytes, PageSource pages);

  // After a byte: content[0, next_ofs) is known, last8 its end.
  void BeginByte(const uint8_t* content, uint32_t next_ofs, uint64_t last8);

  // Before a bit. partial: the byte's bits so far after a leading 1;
  // bit_count: how many. Writes kNumInputs mixer inputs.
  void Predict(uint32_t partial, uint32_t bit_count, int16_t* inputs) {
    agrees_ = expected_ >> (8 - bit_count) == partial;
    if (!agrees_) {
      inputs[0] = inputs[1] = 0;
      return;
    }
    bit_ = static_cast<int>(expected_ >> (7 - bit_count) & 1);
    estimate_ = &estimates_[context_ + bit_count];
    const uint32_t p22 = estimate_->p22();
    const int stretch =
        p22 < kSureP22 ? Stretch12(p22 >> 10) : sure_[p22 - kSureP22];
    const int linear = (static_cast<int>(p22 >> 10) - 2048) >> 2;
    inputs[0] = static_cast<int16_t>(bit_ != 0 ? stretch : -stretch);
    inputs[1] = static_cast<int16_t>(bit_ != 0 ? linear : -linear);
  }
  void Update(int bit) {
    if (agrees_) estimate_->Update(bit_ == bit ? 1 : 0, 255);
  }

  // Of a copy: the estimate in use is its own one.
  void PointToOwn(const LightMatch& start) {
    if (estimate_ == nullptr) return;
    estimate_ = estimates_.data() + (estimate_ - start.estimates_.data());
  }

  // The length in five bits, 0 without a prediction; while the byte agrees.
  uint32_t length_bucket() const { return agrees_ ? bucket_ : 0; }

 private:
  // Where the table of Stretch12 ends, log odds of all 22 bits are needed.
  static constexpr uint32_t kSureP22 = 4088u << 10;
  static constexpr uint32_t kNumBuckets = 32;
  static constexpr uint32_t kMissContexts = 8;
  using SureStretches = std::array<int16_t, (1u << 22) - kSureP22>;

  static const SureStretches& GetSureStretches();
  static uint32_t LengthBucket(uint32_t length);

  const int16_t* sure_;
  int shift_;
  ZeroedArray<uint32_t> table_;  // hash -> offset in the content
  size_t next_entry_ = 0;        // of the bytes up to the last one
  uint32_t source_ofs_ = 0;      // of the predicted byte; 0: none
  uint32_t length_ = 0;          // bytes that agreed
  uint32_t misses_ = 0;          // of the last 8 predictions, one bit each
  uint32_t expected_ = 0;        // the predicted byte plus 256; 0: none
  uint32_t bucket_ = 0;
  uint32_t context_ = 0;
  int bit_ = 0;
  bool agrees_ = false;
  AdaptiveBit32* estimate_ = nullptr;
  // [bucket, misses, number of the bit]
  std::array<AdaptiveBit32, kNumBuckets * kMissContexts * 8> estimates_;
};

}  // namespace llma::cm

#endif  // LLMA_CM_LIGHT_MATCH_H_
