// SPDX-License-Identifier: Apache-2.0
#include "cm/context_mixer.h"

#include <algorithm>
#include <array>
#include <bit>

#include "base/status.h"
#include "cm/bit_history.h"
#include "cm/context_hashes.h"
#include "cm/hashing.h"

namespace llma::cm {
namespace {

constexpr int kInputsPerContext = 3;
constexpr uint32_t kRunContexts = 16 * 8;  // run length, bit place
constexpr int kMatchLengths[kNumMatchModels] = {6, 14};

int NumContexts(ModelSet set) {
  std::array<uint32_t, kMaxContexts> unused;
  const LaneHistory lane(0);
  const uint8_t content = 0;
  return set == ModelSet::kLight
             ? HashLightContexts(lane, &content, unused.data())
             : HashFullContexts(lane, &content, unused.data());
}

// The smallest k with 2^k >= n.
int CeilLog2(uint64_t n) { return n <= 1 ? 0 : 64 - std::countl_zero(n - 1); }

int TableLog2(const ContextMixerOptions& options) {
  // A context makes about one new slot a byte, three slots fill a line.
  const auto num_contexts = static_cast<uint64_t>(NumContexts(options.set));
  const uint64_t lines = options.content_bytes * num_contexts / 3;
  const int most = options.set == ModelSet::kLight ? 19 : 21;  // 32, 128 MB
  return std::clamp(CeilLog2(lines), 10, most);
}

int NumInputs(const ContextMixerOptions& options) {
  return NumContexts(options.set) * kInputsPerContext +
         kNumMatchModels * MatchModel::kNumInputs + 3 +
         2 * options.num_external;
}

constexpr int kNumSets = 7;
std::array<uint32_t, kNumSets> SetSizes(const ContextMixerOptions& options) {
  return {256, 256, 256, 32 * 8, 8 * 8 * 4, 2048, options.num_selectors * 8};
}
constexpr std::array<uint32_t, 2> kFinalSetSizes = {256, 32 * 8};

}  // namespace

struct ContextMixer::Context {
  HashSlot* slot = nullptr;  // of the current nibble
  HashSlot* run = nullptr;   // of the first nibble, null before it is known
  uint8_t* node = nullptr;   // the bit history in use
  uint32_t history_map = 0;  // index of the estimate in use
  uint32_t run_map = 0;
  int run_bit = -1;  // predicted by the run, -1: none
};

ContextMixer::ContextMixer(const ContextMixerOptions& options)
    : options_(options),
      content_(options.content_bytes + 8),
      histories_(GetBitHistoryTable().state.data()),
      table_(TableLog2(options)),
      contexts_(static_cast<size_t>(NumContexts(options.set))),
      hashes_(kMaxContexts),
      history_maps_(contexts_.size() * 256),
      run_maps_(contexts_.size() * kRunContexts),
      order0_(256),
      order1_(65536),
      mixer_(NumInputs(options), SetSizes(options), kWeightOne / 4, {1300, 130},
             BestMixerKernels()),
      final_mixer_(kNumSets + options.num_external, kFinalSetSizes,
                   kWeightOne / kNumSets, {400, 65}, BestMixerKernels()) {
  const int match_log2 = std::clamp(CeilLog2(options.content_bytes), 10, 20);
  for (const int length : kMatchLengths) {
    matches_.emplace_back(length, match_log2);
  }
  for (size_t i = 0; i < history_maps_.size(); ++i) {
    history_maps_[i].Set(InitialProbability22(histories_[i % 256]), 0);
  }
  for (size_t i = 0; i < run_maps_.size(); ++i) {
    const auto run = static_cast<uint32_t>(i % kRunContexts / 8);
    run_maps_[i].Set((1u << 22) - (1u << 22) / (2 * run + 3), 0);
  }
  refinements_.emplace_back(256);
  refinements_.emplace_back(65536);
  refinements_.emplace_back(65536);
}

ContextMixer::~ContextMixer() = default;

uint32_t ContextMixer::AddLane(uint64_t begin_ofs) {
  LLMA_DCHECK(begin_ofs <= options_.content_bytes);
  lanes_.emplace_back(static_cast<uint32_t>(begin_ofs));
  return static_cast<uint32_t>(lanes_.size()) - 1;
}

void ContextMixer::BeginByte(uint32_t lane) {
  lane_ = lane;
  partial_ = 1;
  bit_count_ = 0;
  const LaneHistory& history = lanes_[lane];
  if (options_.set == ModelSet::kLight) {
    HashLightContexts(history, content_.data(), hashes_.data());
  } else {
    HashFullContexts(history, content_.data(), hashes_.data());
  }
  for (size_t i = 0; i < contexts_.size(); ++i) table_.Prefetch(hashes_[i]);
  for (size_t i = 0; i < matches_.size(); ++i) {
    matches_[i].BeginByte(content_.data(), lanes_, lane, lanes_[lane].match[i]);
  }
  for (size_t i = 0; i < contexts_.size(); ++i) {
    Context& c = contexts_[i];
    c.slot = c.run = table_.Find(hashes_[i]);
  }
  order_ = 0;
  for (size_t i = 0; i < 6; ++i) {
    order_ += contexts_[i].slot->node[0] != 0 ? 1u : 0u;
  }
}

void ContextMixer::FindSlots() {
  for (size_t i = 0; i < contexts_.size(); ++i) {
    hashes_[i] = HashNibble(hashes_[i], partial_);
    table_.Prefetch(hashes_[i]);
  }
  for (size_t i = 0; i < contexts_.size(); ++i) {
    contexts_[i].slot = table_.Find(hashes_[i]);
  }
}

uint32_t ContextMixer::Predict(std::span<const uint32_t> external,
                               uint32_t selector) {
  if (bit_count_ == 4) FindSlots();
  int16_t* in = mixer_.inputs().data();
  const uint32_t nibble_bits = bit_count_ & 3;
  const uint32_t node =
      (1u << nibble_bits) - 1 + (partial_ & ((1u << nibble_bits) - 1));
  for (size_t i = 0; i < contexts_.size(); ++i) {
    Context& c = contexts_[i];
    c.node = &c.slot->node[node];
    const uint32_t state = *c.node;
    c.history_map = static_cast<uint32_t>(i) * 256 + state;
    const uint32_t p12 = history_maps_[c.history_map].p12();
    in[0] = state == 0 ? int16_t{0} : static_cast<int16_t>(Stretch12(p12));
    in[1] = state == 0
                ? int16_t{0}
                : static_cast<int16_t>((static_cast<int>(p12) - 2048) >> 2);
    // The byte that followed last time, while it agrees with this one.
    c.run_bit = -1;
    in[2] = 0;
    const uint32_t expected = c.run->last_byte | 256u;
    if (c.run->run_count > 0 && expected >> (8 - bit_count_) == partial_) {
      c.run_bit = static_cast<int>(expected >> (7 - bit_count_) & 1);
      c.run_map = static_cast<uint32_t>(i) * kRunContexts +
                  std::min<uint32_t>(c.run->run_count, 15) * 8 + bit_count_;
      const int stretch = Stretch12(run_maps_[c.run_map].p12());
      in[2] = static_cast<int16_t>(c.run_bit != 0 ? stretch : -stretch);
    }
    in += kInputsPerContext;
  }
  for (MatchModel& match : matches_) {
    match.Predict(partial_, in);
    in += MatchModel::kNumInputs;
  }
  const LaneHistory& lane = lanes_[lane_];
  *in++ = static_cast<int16_t>(Stretch12(order0_[partial_].p12()));
  *in++ =
      static_cast<int16_t>(Stretch12(order1_[lane.c1() << 8 | partial_].p12()));
  *in++ = 256;
  int16_t* final_in = final_mixer_.inputs().data() + kNumSets;
  for (const uint32_t p24 : external) {
    const int stretch = StretchP24(p24) >> 4;
    *in++ = static_cast<int16_t>(stretch);
    *in++ = static_cast<int16_t>((static_cast<int>(p24 >> 12) - 2048) >> 2);
    *final_in++ = static_cast<int16_t>(stretch);
  }
  SelectWeights(selector);
  for (int i = 0; i < kNumSets; ++i) {
    final_mixer_.inputs()[static_cast<size_t>(i)] =
        static_cast<int16_t>(mixer_.MixQ12(i) >> 4);
  }
  const int mixed_q12 = (final_mixer_.MixQ12(0) + final_mixer_.MixQ12(1)) >> 1;
  return Refine(mixed_q12);
}

void ContextMixer::SelectWeights(uint32_t selector) {
  const LaneHistory& lane = lanes_[lane_];
  const uint32_t match = matches_[0].length_bucket();
  mixer_.Select(0, partial_);
  mixer_.Select(1, lane.c1());
  mixer_.Select(2, lane.c2());
  mixer_.Select(3, match * 8 + bit_count_);
  mixer_.Select(4, (order_ * 8 + bit_count_) * 4 +
                       (lane.word_length > 3 ? 3 : lane.word_length));
  mixer_.Select(5, matches_[0].expected() != 0
                       ? (matches_[0].expected() & 255) * 8 + bit_count_
                       : bit_count_);
  mixer_.Select(6, selector * 8 + bit_count_);
  final_mixer_.Select(0, partial_);
  final_mixer_.Select(1, match * 8 + bit_count_);
}

uint32_t ContextMixer::Refine(int mixed_q12) {
  const LaneHistory& lane = lanes_[lane_];
  const int stretch = mixed_q12 >> 4;
  const uint32_t p = SquashQ12(mixed_q12);
  const uint32_t p0 = refinements_[0].Refine(stretch, partial_);
  const uint32_t p1 =
      refinements_[1].Refine(stretch, lane.c1() << 8 | partial_);
  const uint32_t p2 = refinements_[2].Refine(
      stretch, Combine(lane.last4() & 0xffff, partial_) >> 16);
  const uint32_t refined = (2 * p + p0 / 2 + p1 / 2 + p2) >> 2;
  return std::clamp<uint32_t>(refined, 1, kProbOne - 1);
}

void ContextMixer::Update(int bit) {
  for (Context& c : contexts_) {
    history_maps_[c.history_map].Update(bit, 255);
    *c.node = histories_[*c.node].next[bit];
    if (c.run_bit >= 0) {
      run_maps_[c.run_map].Update(c.run_bit == bit ? 1 : 0, 255);
    }
  }
  for (MatchModel& match : matches_) match.Update(bit);
  order0_[partial_].Update(bit, 255);
  order1_[lanes_[lane_].c1() << 8 | partial_].Update(bit, 255);
  mixer_.Update(bit);
  final_mixer_.Update(bit);
  for (RefinementMap& map : refinements_) map.Update(bit, 6);
  partial_ = partial_ << 1 | static_cast<uint32_t>(bit);
  if (++bit_count_ == 8) EndByte();
}

void ContextMixer::EndByte() {
  const auto byte = static_cast<uint8_t>(partial_);
  for (Context& c : contexts_) {
    HashSlot& run = *c.run;
    if (run.run_count == 0) {
      run.last_byte = byte;
      run.run_count = 1;
    } else if (run.last_byte == byte) {
      if (run.run_count < 255) ++run.run_count;
    } else {
      run.older_byte = run.last_byte;
      run.last_byte = byte;
      run.run_count = 1;
    }
  }
  LaneHistory& lane = lanes_[lane_];
  LLMA_DCHECK(lane.next_ofs < options_.content_bytes);
  content_[lane.next_ofs] = byte;
  lane.Append(byte);
}

}  // namespace llma::cm
