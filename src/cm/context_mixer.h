// SPDX-License-Identifier: Apache-2.0
// Predicts bytes bit by bit from their context: hashed contexts with bit
// histories and match models, joined by gated logistic mixing and refined by
// adaptive maps. joint_predictor.h adds a language model.
//
// Goals: the same predictions on every machine (integers only); strength on
// text, markup, code, tables and logs; lanes that share all statistics.
// Non-goals: images, audio, transforms of the content.
#ifndef LLMA_CM_CONTEXT_MIXER_H_
#define LLMA_CM_CONTEXT_MIXER_H_

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "cm/context_hashes.h"
#include "cm/context_set.h"
#include "cm/counters.h"
#include "cm/lane_history.h"
#include "cm/match_model.h"
#include "cm/mixer.h"
#include "cm/record_fields.h"
#include "cm/zeroed_array.h"

namespace llma::cm {

// Which models take part. The values are part of the format.
enum class ModelSet : uint8_t {
  kLight = 1,  // fast
  kFull = 2,   // strong
};

struct ContextMixerOptions {
  ModelSet set = ModelSet::kFull;
  // All bytes of all lanes, at most 2^31 besides a reference.
  uint64_t content_bytes = 0;
  // Sizes the tables; 0: the content and the start text do.
  uint64_t table_bytes = 0;
  // Of the content, at least 1. With several, some weights are each lane's own
  // and matches in a lane itself come first.
  uint32_t num_lanes = 1;
  // Read before all else (start_text.h); it must outlive the mixer.
  std::string_view start_text = {};
  // Of the tables; predictions do not depend on it.
  PageSource pages = PageSize::kLarge;
  const KernelTable& kernels = BestKernels();
  // For measurements only, never in a format: bit i leaves out a component.
  // 0 words, 1 sparse, 2 lines, 3 markup, 4 names, 5 classes, 7 followers, 8
  // segments, 9 matches, 10 refinement, 11 the full set's weight sets beyond
  // the third, 12 folded orders, 13 record fields, 14 siblings.
  uint32_t ablated = 0;
};

// One coded byte: BeginByte, then eight times Predict and Update. Lanes take
// turns at byte boundaries. Thread-compatible.
class ContextMixer {
 public:
  explicit ContextMixer(const ContextMixerOptions& options);
  // At the border of two bytes; both go on alike.
  ContextMixer(const ContextMixer&) = default;
  ContextMixer& operator=(const ContextMixer&) = delete;
  // Makes room for more content; the tables stay as large as they are.
  void Resize(uint64_t content_bytes);

  // Opens a lane that will hold the content's bytes from begin_ofs on. Lanes
  // must not run into one another. Returns its number, which counts from 0;
  // a start text is the first, as is what is read as a reference.
  uint32_t AddLane(uint64_t begin_ofs);

  // Turns to a lane's next byte.
  void BeginByte(uint32_t lane);
  // The probability that the next bit (most significant first) is 1, in units
  // of 2^-24, in [1, 2^24 - 1].
  uint32_t Predict();
  // Teaches the bit just predicted. The eighth appends the byte to its lane.
  void Update(int bit);

  // The lane's byte so far, most significant bits first, after a leading 1.
  uint32_t partial_byte() const { return partial_; }
  const LaneHistory& lane(uint32_t i) const { return lanes_[i]; }
  // Of the bit just predicted: the mixed log odds of every weight set, Q8.
  std::span<const int16_t> mixed() { return final_mixer_.inputs(); }
  const MatchModel& match(int i) const {
    return matches_[static_cast<size_t>(i)];
  }
  int num_matches() const { return static_cast<int>(matches_.size()); }
  // The one to choose weights by: in the light set, of those that predict the
  // next bit, the one with the longest minimum.
  const MatchModel& leading_match() const;
  // The bytes coded so far; zeros where none are.
  std::span<const uint8_t> content() const {
    return {&content_[0], content_.size()};
  }

 private:
  bool IsAblated(int i) const { return (options_.ablated >> i & 1) != 0; }
  void SelectWeights();
  uint32_t Refine(int mixed_q12);
  void EndByte();
  void ReadStartText();

  ContextMixerOptions options_;
  ZeroedArray<uint8_t> content_;
  std::vector<LaneHistory> lanes_;
  uint32_t lane_ = 0;  // whose byte it is
  // That lane's; a start text or a reference has none to itself.
  uint32_t own_weights_ = 0;
  uint32_t partial_ = 1;
  uint32_t bit_count_ = 0;
  uint32_t seen_ = 0;  // how many orders knew this context

  ContextSet contexts_;
  Followers followers_;
  RecordFields record_fields_;
  std::vector<MatchModel> matches_;
  std::vector<AdaptiveBit32> order0_;  // [partial byte]
  ZeroedArray<ZeroedBit32> order1_;    // [byte before, partial byte]
  MixerLayer mixer_;
  MixerLayer final_mixer_;
  std::vector<RefinementMap> refinements_;
};

}  // namespace llma::cm

#endif  // LLMA_CM_CONTEXT_MIXER_H_
