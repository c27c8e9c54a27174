// SPDX-License-Identifier: Apache-2.0
#include "cm/match_model.h"

#include <algorithm>
#include <bit>

#include "cm/hashing.h"

namespace llma::cm {
namespace {

constexpr uint32_t kMissContexts = 8;

// The lane whose coded bytes hold `ofs`, or the number of lanes.
uint32_t FindLane(std::span<const LaneHistory> lanes, uint32_t ofs) {
  for (uint32_t i = 0; i < lanes.size(); ++i) {
    if (ofs >= lanes[i].begin_ofs && ofs < lanes[i].next_ofs) return i;
  }
  return static_cast<uint32_t>(lanes.size());
}

uint32_t LengthBucket(uint32_t length) {
  if (length < 16) return length;
  // 16, 24, 32, 48, 64, ... 2 a power of two, at most 31.
  const auto log2 = static_cast<uint32_t>(std::bit_width(length)) - 1;
  return std::min<uint32_t>(16 + (log2 - 4) * 2 + (length >> (log2 - 1) & 1),
                            31);
}

}  // namespace

MatchModel::MatchModel(int min_length, int log2_entries, bool has_several_lanes,
                       PageSource pages)
    : min_length_(static_cast<uint32_t>(min_length)),
      shift_(32 - log2_entries),
      table_(size_t{1} << log2_entries, pages),
      own_table_(has_several_lanes ? table_.size() / 4 : 0, pages),
      estimates_(32 * kMissContexts * 8) {
  for (size_t i = 0; i < estimates_.size(); ++i) {
    // P(the predicted bit is right), about 1 - 1 / (length + 2).
    const auto length = static_cast<uint32_t>(i / (kMissContexts * 8));
    estimates_[i].Set((1u << 22) - (1u << 22) / (2 * length + 3), 0);
  }
}

// Of the last min_length_ bytes.
uint32_t MatchModel::Hash(const uint8_t* content,
                          const LaneHistory& here) const {
  if (min_length_ <= 8) {
    return cm::Hash(here.last8 << (64 - 8 * min_length_), 0);
  }
  uint32_t hash = 0;
  for (uint32_t i = 1; i <= min_length_; ++i) {
    hash = (hash + content[here.next_ofs - i] + 1) * 0x2f0b4c47u;
    hash ^= hash >> 15;
  }
  return hash;
}

void MatchModel::Try(const uint8_t* content, std::span<const LaneHistory> lanes,
                     const LaneHistory& here, uint32_t source_ofs,
                     MatchState& state) const {
  if (state.length >= min_length_ || source_ofs == 0) return;
  const uint32_t source_lane = FindLane(lanes, source_ofs);
  if (source_lane == lanes.size()) return;
  const uint32_t most = std::min(
      {here.num_bytes(), source_ofs - lanes[source_lane].begin_ofs, 400u});
  uint32_t length = 0;
  while (length < most && content[source_ofs - 1 - length] ==
                              content[here.next_ofs - 1 - length]) {
    ++length;
  }
  if (length < min_length_ || length <= state.length) return;
  state = {.source_ofs = source_ofs,
           .length = length,
           .misses = 0,
           .source_lane = source_lane};
}

void MatchModel::BeginByte(const uint8_t* content, std::span<LaneHistory> lanes,
                           uint32_t lane, MatchState& state) {
  const LaneHistory& here = lanes[lane];
  const uint32_t ofs = here.next_ofs;
  agrees_ = false;
  if (here.num_bytes() < min_length_) return;

  if (state.length > 0 || state.source_ofs > 0) {
    // Judge the last prediction, then go on after it.
    const bool hit = content[state.source_ofs] == here.c1();
    state.misses = (state.misses << 1 | (hit ? 0 : 1)) & 0xff;
    state.length = hit ? std::min(state.length + 1, kMaxMatchLength) : 0;
    ++state.source_ofs;
    // Eight misses in a row end the attempt to recover.
    if (std::popcount(state.misses) >= 8) state.source_ofs = 0;
    if (state.source_ofs >= lanes[state.source_lane].next_ofs) {
      state = MatchState{};
    }
  }

  const uint32_t hash = Hash(content, here);
  if (own_table_.size() > 0) {
    const uint32_t of_lane = (hash + lane * 0x3c6ef372u) * 0x9e3779b1u;
    uint32_t& own = own_table_[of_lane >> (shift_ + 2)];
    Try(content, lanes, here, own, state);
    own = ofs;
  }
  uint32_t& entry = table_[hash * 0x9e3779b1u >> shift_];
  Try(content, lanes, here, entry, state);
  entry = ofs;

  if (state.source_ofs > 0) {
    agrees_ = true;
    expected_ = content[state.source_ofs] | 256u;
    bucket_ = LengthBucket(state.length);
    context_ = (bucket_ * kMissContexts +
                std::min(static_cast<uint32_t>(std::popcount(state.misses)),
                         kMissContexts - 1)) *
               8;
  }
}

void MatchModel::Predict(uint32_t partial, int16_t* inputs) {
  const int width = std::bit_width(partial);
  if (agrees_ && expected_ >> (9 - width) != partial) agrees_ = false;
  if (!agrees_) {
    inputs[0] = inputs[1] = 0;
    return;
  }
  bit_ = expected_ >> (8 - width) & 1;
  estimate_ = context_ + static_cast<uint32_t>(width) - 1;
  const uint32_t p22 = estimates_[estimate_].p22();
  // The exact function is slow, and only needed where the table ends.
  const int stretch =
      p22 < (4088u << 10) ? Stretch12(p22 >> 10) : StretchP24(p22 << 2) >> 4;
  const int linear = (static_cast<int>(p22 >> 10) - 2048) >> 2;
  inputs[0] = static_cast<int16_t>(bit_ != 0 ? stretch : -stretch);
  inputs[1] = static_cast<int16_t>(bit_ != 0 ? linear : -linear);
}

void MatchModel::Update(int bit) {
  if (!agrees_) return;
  estimates_[estimate_].Update(static_cast<int>(bit_) == bit ? 1 : 0, 255);
}

}  // namespace llma::cm
