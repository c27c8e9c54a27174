// SPDX-License-Identifier: Apache-2.0
#include "cm/joint_predictor.h"

#include <algorithm>

#include "base/status.h"
#include "cm/hashing.h"
#include "cm/start_text.h"
#include "cm/wide_logistic.h"

namespace llma::cm {
namespace {

constexpr int kNumTokenContexts = 8;
// Those that, where there are several lanes, are there again for each lane.
constexpr std::array<size_t, 3> kOwnTokenContexts = {0, 1, 5};
constexpr int kInputsPerContext = 4;

int NumTokenContexts(uint32_t num_lanes) {
  return kNumTokenContexts +
         (num_lanes > 1 ? static_cast<int>(kOwnTokenContexts.size()) : 0);
}
size_t NumTokenInputs(uint32_t num_lanes) {
  return static_cast<size_t>(NumTokenContexts(num_lanes) * kInputsPerContext);
}

// A set's contexts; SelectWeights gives their meaning.
constexpr uint32_t kNumBitDepths = 8 * 4;
constexpr uint32_t kNumMatchKinds = 16 * 3;
constexpr uint32_t kErrorSteps = 12;
constexpr size_t kNumSets = 8;
std::array<uint32_t, kNumSets> SetSizes(uint32_t num_lanes) {
  return {1,
          kNumConfidences * 3 * 2,
          kNumConfidences * 8 * 2,
          kNumConfidences * kNumMatchKinds,
          kNumBitDepths * num_lanes,
          256,
          256,
          kErrorSteps * kErrorSteps * 5};
}
constexpr std::array<uint32_t, 4> kFinalSetSizes = {1, kNumConfidences * 3, 256,
                                                    kNumMatchKinds};

// Slow: an input as strong as the language model's is not to be disturbed.
// Weaker inputs learn slower, too: mixed() counts half, those of tokens 3/4.
constexpr LearningRate kJointRate = {.first_q16 = 200, .last_q16 = 200};
constexpr LearningRate kJointFinalRate = {.first_q16 = 100, .last_q16 = 50};

constexpr int32_t kOne = 1 << 24;

// The language model has all the weight at first.
std::vector<int32_t> StartWeights(size_t num_inputs) {
  std::vector<int32_t> weights(num_inputs, 0);
  weights[0] = kOne;
  return weights;
}
// The final mixer starts as the mean of the sets, the language model is its
// last input.
std::vector<int32_t> FinalStartWeights() {
  std::vector<int32_t> weights(kNumSets + 1,
                               kOne / static_cast<int32_t>(kNumSets));
  weights.back() = 0;
  return weights;
}

uint64_t TableBytes(const JointOptions& options) {
  return options.table_bytes != 0 ? options.table_bytes : options.content_bytes;
}

size_t NumTokenBuckets(uint64_t content_bytes) {
  // 0.75 slots a byte and context, three to a bucket. At most 58 MB.
  return static_cast<size_t>(
      std::clamp<uint64_t>(content_bytes * 2, 1024, 900000));
}

// The logarithm of how many counters each context of ends has: 12 and 25 MB.
int MaxEndsLog2(ModelSet set) { return set == ModelSet::kFull ? 20 : 19; }

// The square root of a mean error in about 12 steps.
uint32_t ErrorStep(uint32_t error_p24) {
  uint32_t step = 0;
  while (step < kErrorSteps - 1 &&
         error_p24 > (step + 1) * (step + 1) * uint32_t{1 << 15}) {
    ++step;
  }
  return step;
}

void Follow(uint32_t& mean, uint32_t p24, int bit) {
  const uint32_t error = bit != 0 ? kProbOne - p24 : p24;
  mean = static_cast<uint32_t>(
      static_cast<int32_t>(mean) +
      (static_cast<int32_t>(error) - static_cast<int32_t>(mean)) / 64);
}

}  // namespace

JointPredictor::JointPredictor(const JointOptions& options)
    : options_(options),
      contexts_({.set = options.set,
                 .content_bytes = options.content_bytes,
                 .table_bytes = options.table_bytes,
                 .num_lanes = options.num_lanes,
                 .pages = options.pages,
                 .kernels = options.kernels}),
      token_contexts_(NumTokenContexts(options.num_lanes), kInputsPerContext,
                      NumTokenBuckets(TableBytes(options)), options.pages),
      token_inputs_(NumTokenInputs(options.num_lanes)),
      ends_(options.content_bytes, TableBytes(options),
            MaxEndsLog2(options.set), options.pages, options.kernels),
      mixer_(SetSizes(options.num_lanes),
             StartWeights(3 + static_cast<size_t>(contexts_.num_matches()) +
                          contexts_.mixed().size() + token_inputs_.size()),
             kJointRate, options.kernels),
      final_mixer_(kFinalSetSizes, FinalStartWeights(), kJointFinalRate,
                   options.kernels),
      refinements_{
          WideRefinementMap(kNumConfidences * 256, options.pages),
          WideRefinementMap(65536, options.pages),
          WideRefinementMap(kNumConfidences * kNumMatchKinds, options.pages)} {}

void JointPredictor::Resize(uint64_t content_bytes) {
  options_.content_bytes = content_bytes;
  contexts_.Resize(content_bytes);
  ends_.Resize(content_bytes);
}

uint32_t JointPredictor::AddLane(uint64_t begin_ofs) {
  LLMA_DCHECK(tokens_.size() <= options_.num_lanes);
  tokens_.emplace_back();
  return contexts_.AddLane(begin_ofs);
}

// Contexts that know where tokens begin, as the other ones do not: the token
// so far after none, one, two tokens and the one before the last; and the last
// one to four bytes, apart from others if a token begins. What a lane's own
// text did there lately is worth more than what others did, so some have it
// apart.
void JointPredictor::BeginByte(uint32_t lane) {
  lane_ = lane;
  bit_count_ = 0;
  contexts_.BeginByte(lane);
  const TokenState& token = tokens_[lane];
  const uint64_t last8 = contexts_.lane(lane).last8;
  const uint64_t begins = token.depth == 0 ? 1 : 0;
  const std::span<uint32_t> hashes = token_contexts_.hashes();
  hashes[0] = Combine(token.prefix, 0);
  hashes[1] = Combine(token.prefix, token.tokens[0]);
  hashes[2] = Combine(hashes[1], token.tokens[1]);
  hashes[3] = Combine(token.prefix, token.tokens[1] + 1);
  for (uint32_t n = 1; n <= 4; ++n) {
    const uint64_t last = last8 & ((uint64_t{1} << 8 * n) - 1);
    hashes[3 + n] = Hash(last << 1 | begins, 3 + n);
  }
  if (options_.num_lanes > 1) {
    for (size_t i = 0; i < kOwnTokenContexts.size(); ++i) {
      hashes[kNumTokenContexts + i] =
          Combine(hashes[kOwnTokenContexts[i]], lane + 1);
    }
  }
  token_contexts_.BeginByte((options_.ablated >> 2 & 1) != 0 ? 0
                                                             : hashes.size());
}

uint32_t JointPredictor::PredictBit(uint32_t p24) {
  // Certain bits are learnt from, too.
  cm_p24_ = contexts_.Predict();
  token_contexts_.Predict(contexts_.partial_byte(), bit_count_,
                          token_inputs_.data());
  is_certain_ = IsCertain(p24);
  if (is_certain_) return p24;
  lm_p24_ = p24;
  lm_log_odds_ = StretchQ16(p24);
  cm_log_odds_ = StretchQ16(cm_p24_);
  FillInputs();
  SelectWeights();
  mixer_.Mix();
  for (size_t i = 0; i < kNumSets; ++i) {
    final_mixer_.inputs()[i] = mixer_.output(i);
  }
  final_mixer_.inputs()[kNumSets] = lm_log_odds_;
  const int32_t mixed = final_mixer_.Mix();
  const uint32_t p = SquashQ16(mixed);
  if ((options_.ablated >> 1 & 1) != 0) return p;
  uint32_t sum = 5 * p;  // below 2^27
  for (size_t i = 0; i < refinements_.size(); ++i) {
    sum += refinements_[i].Refine(mixed, refined_contexts_[i]);
  }
  return std::clamp<uint32_t>(sum >> 3, 1, kProbOne - 1);
}

void JointPredictor::FillInputs() {
  int32_t* in = mixer_.inputs().data();
  *in++ = lm_log_odds_;
  *in++ = cm_log_odds_;
  *in++ = 1 << 14;
  for (int i = 0; i < contexts_.num_matches(); ++i) {
    const MatchModel& match = contexts_.match(i);
    const auto length = static_cast<int32_t>(match.length_bucket() << 14);
    *in++ = match.expected_bit() != 0 ? length : -length;
  }
  for (const int16_t mixed : contexts_.mixed()) *in++ = mixed * 128;
  for (const int16_t input : token_inputs_) *in++ = input * 192;
}

void JointPredictor::SelectWeights() {
  const TokenState& token = tokens_[lane_];
  const MatchModel& match = contexts_.leading_match();
  const uint32_t c0 = contexts_.partial_byte();
  const uint32_t c1 = contexts_.lane(lane_).c1();
  const uint32_t lm_confidence = Confidence(lm_log_odds_);
  const uint32_t cm_confidence = std::min(Confidence(cm_log_odds_) * 2 / 3, 7u);
  const uint32_t both_agree = (lm_log_odds_ > 0) == (cm_log_odds_ > 0) ? 1 : 0;
  const uint32_t length = match.length_bucket();
  const uint32_t match_agrees =
      length == 0 ? 0 : 1 + ((match.expected_bit() != 0) == (lm_log_odds_ > 0));
  const uint32_t match_kind =
      (std::min(length, 15u) * kNumConfidences + lm_confidence) * 3 +
      match_agrees;
  const uint32_t token_kind = lm_confidence * 3 + std::min(token.depth, 2u);
  mixer_.Select(0, 0);
  mixer_.Select(1, token_kind * 2 + (bit_count_ == 0 ? 1 : 0));
  mixer_.Select(2, (lm_confidence * 8 + cm_confidence) * 2 + both_agree);
  mixer_.Select(3, match_kind);
  mixer_.Select(4, lane_ % options_.num_lanes * kNumBitDepths +
                       (7 - bit_count_) * 4 + std::min(token.depth, 3u));
  mixer_.Select(5, c0);
  mixer_.Select(6, c1);
  mixer_.Select(
      7, (ErrorStep(token.lm_error) * kErrorSteps + ErrorStep(token.cm_error)) *
                 5 +
             std::min(lm_confidence / 2, 4u));
  final_mixer_.Select(0, 0);
  final_mixer_.Select(1, token_kind);
  final_mixer_.Select(2, c0);
  final_mixer_.Select(3, std::min(length, 15u) * 3 + match_agrees);
  refined_contexts_ = {lm_confidence << 8 | c0, c1 << 8 | c0, match_kind};
}

void JointPredictor::UpdateBit(int bit) {
  if (!is_certain_) {
    TokenState& token = tokens_[lane_];
    Follow(token.lm_error, lm_p24_, bit);
    Follow(token.cm_error, cm_p24_, bit);
    mixer_.Update(bit);
    final_mixer_.Update(bit);
    if ((options_.ablated >> 1 & 1) == 0) {
      for (WideRefinementMap& map : refinements_) map.Update(bit);
    }
  }
  contexts_.Update(bit);
  token_contexts_.Update(bit);
  if (++bit_count_ == 8) {
    const auto byte = static_cast<uint8_t>(contexts_.lane(lane_).c1());
    token_contexts_.EndByte(byte);
    tokens_[lane_].Append(byte);
  }
}

uint32_t JointPredictor::PredictEnd(uint32_t p24) {
  is_certain_ = IsCertain(p24) || (options_.ablated & 1) != 0;
  if (is_certain_) return p24;
  return ends_.Predict(p24, contexts_, contexts_.lane(lane_), tokens_[lane_],
                       lane_);
}

void JointPredictor::UpdateEnd(bool ends) {
  if (!is_certain_) ends_.Update(ends);
  if (ends) {
    EndToken();
  } else {
    ends_.Note(contexts_.lane(lane_).next_ofs - 1, false);
  }
}

void JointPredictor::EndToken() {
  ends_.Note(contexts_.lane(lane_).next_ofs - 1, true);
  tokens_[lane_].End();
}

uint64_t JointPredictor::MaxMemoryBytes(ModelSet set, uint64_t content_bytes) {
  // The full set's tables of contexts and ends of tokens grow to 205, 58 and
  // 25 MB, weights to 37, other maps to 35; the light set's to 19, 58 and 12,
  // or alone to 58. All else is below 40, besides a byte for the content and
  // one for where tokens end. A start text counts as content.
  const bool is_full = set == ModelSet::kFull;
  const uint64_t tables =
      std::min<uint64_t>((content_bytes + MaxStartTextBytes(content_bytes)) *
                             (is_full ? 1350 : 600),
                         uint64_t{is_full ? 350u : 90u} << 20);
  return tables + (uint64_t{40} << 20) + 2 * content_bytes;
}

}  // namespace llma::cm
