// SPDX-License-Identifier: Apache-2.0
#include "cm/token_ends.h"

#include <algorithm>
#include <bit>

#include "cm/hashing.h"
#include "cm/wide_logistic.h"

namespace llma::cm {
namespace {

constexpr uint32_t kLimit = 255;
constexpr uint32_t kLengths = 32;  // kinds of match lengths
constexpr uint32_t kDepths = 4;
constexpr LearningRate kEndsRate = {.first_q16 = 1000, .last_q16 = 1000};

// The language model's log odds, a constant, matches, counters.
constexpr size_t kNumInputs = 2 + kMaxMatchModels + 6;
constexpr std::array<int32_t, kNumInputs> kStart = {1 << 24};

// TokenEnds::Predict() gives their meaning.
constexpr std::array<uint32_t, 4> kSetSizes = {kNumConfidences * 2,
                                               8 * kNumConfidences, 256,
                                               kLengths* kNumConfidences * 3};

int32_t StretchOf(uint32_t p22) {
  return StretchQ16(std::clamp<uint32_t>(p22 << 2, 64, kProbOne - 64));
}

uint32_t LengthKind(uint32_t length) {
  return std::min(length < 16 ? length : 12 + length / 4, kLengths - 1);
}

}  // namespace

TokenEnds::TokenEnds(uint64_t content_bytes, uint64_t table_bytes,
                     int max_counters_log2, PageSource pages,
                     const KernelTable& kernels)
    : counters_log2_(
          std::clamp(static_cast<int>(std::bit_width(table_bytes)) + 1, 10,
                     max_counters_log2)),
      match_estimates_(kMaxMatchModels * kLengths * kDepths),
      ended_(content_bytes, pages),
      mixer_(kSetSizes, kStart, kEndsRate, kernels),
      refinement_(kNumConfidences * 256, pages) {
  for (size_t i = 0; i < kNumCounters; ++i) {
    counters_.emplace_back(size_t{1} << counters_log2_, pages);
  }
  // Three of four are right, worth two observations.
  for (AdaptiveBit32& right : match_estimates_) right.Set(3u << 20, 2);
}

uint32_t TokenEnds::Predict(uint32_t p24, const ContextMixer& contexts,
                            const LaneHistory& lane, const TokenState& token,
                            uint32_t lane_idx) {
  const int32_t stretch = StretchQ16(p24);
  const uint32_t confidence = Confidence(stretch);
  int32_t* inputs = mixer_.inputs().data();
  inputs[0] = stretch;
  inputs[1] = 1 << 14;
  const uint32_t match = AskMatches(contexts, lane, token.depth, inputs + 2);
  AskCounters(lane, token, lane_idx, inputs + 2 + kMaxMatchModels);
  mixer_.Select(0, confidence * 2 + (token.depth == 1 ? 1 : 0));
  mixer_.Select(
      1, std::min(asked_[1]->count(), 7u) * kNumConfidences + confidence);
  mixer_.Select(2, lane.c1());
  mixer_.Select(3, (match / 3 * kNumConfidences + confidence) * 3 + match % 3);
  const int32_t mixed = mixer_.Mix();
  const uint32_t refined =
      refinement_.Refine(mixed, confidence << 8 | lane.c1());
  return std::clamp<uint32_t>((SquashQ16(mixed) * 3 + refined) >> 2, 1,
                              kProbOne - 1);
}

// Where a match predicted the last byte, its source says whether a token ended
// after it.
uint32_t TokenEnds::AskMatches(const ContextMixer& contexts,
                               const LaneHistory& lane, uint32_t depth,
                               int32_t* inputs) {
  uint32_t context = 0;
  for (int i = 0; i < kMaxMatchModels; ++i) {
    MatchEstimate& estimate = matches_[static_cast<size_t>(i)];
    estimate.right = nullptr;
    inputs[i] = 0;
    const MatchState& state = lane.match[static_cast<size_t>(i)];
    if (state.length == 0 ||
        contexts.content()[state.source_ofs] != lane.c1()) {
      continue;
    }
    const auto length = LengthKind(state.length);
    estimate.ends = ended_[state.source_ofs] != 0;
    estimate.right =
        &match_estimates_[(static_cast<uint32_t>(i) * kLengths + length) *
                              kDepths +
                          std::min(depth, kDepths) - 1];
    const int32_t stretch = StretchOf(estimate.right->p22());
    inputs[i] = estimate.ends ? stretch : -stretch;
    if (i == 0) context = length * 3 + (estimate.ends ? 2 : 1);
  }
  return context;
}

// By the token so far, given none, one or two tokens before it, and by the
// last 2, 3 and 5 bytes with the place in the token. The token alone and 3
// bytes are counted for each lane by itself.
void TokenEnds::AskCounters(const LaneHistory& lane, const TokenState& token,
                            uint32_t lane_idx, int32_t* inputs) {
  const uint32_t one = Combine(token.prefix, token.tokens[0]);
  const uint64_t depth = std::min(token.depth, 8u);
  const uint32_t own = lane_idx * 0x9e3779b1u;
  const std::array<uint32_t, kNumCounters> hashes = {
      token.prefix ^ own,
      one,
      Hash((lane.last8 & 0xffff) << 4 | depth, 2),
      Hash((lane.last8 & 0xffffff) << 4 | depth, 3) ^ own,
      Hash((lane.last8 & 0xffffffffff) << 4 | depth, 4),
      Combine(one, token.tokens[1])};
  for (size_t i = 0; i < kNumCounters; ++i) {
    ZeroedBit32& counter = counters_[i][hashes[i] >> (32 - counters_log2_)];
    asked_[i] = &counter;
    inputs[i] = counter.count() == 0 ? 0 : StretchOf(counter.p22());
  }
}

void TokenEnds::Update(bool ends) {
  const int bit = ends ? 1 : 0;
  for (ZeroedBit32* counter : asked_) counter->Update(bit, kLimit);
  for (MatchEstimate& estimate : matches_) {
    if (estimate.right == nullptr) continue;
    estimate.right->Update(estimate.ends == ends ? 1 : 0, kLimit);
  }
  mixer_.Update(bit);
  refinement_.Update(bit);
}

}  // namespace llma::cm
