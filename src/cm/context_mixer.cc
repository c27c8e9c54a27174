// SPDX-License-Identifier: Apache-2.0
#include "cm/context_mixer.h"

#include <algorithm>
#include <bit>

#include "base/status.h"
#include "cm/hashing.h"

namespace llma::cm {
namespace {

bool IsFull(const ContextMixerOptions& options) {
  return options.set == ModelSet::kFull;
}

int NumContexts(const ContextMixerOptions& options) {
  return IsFull(options) ? kNumFullContexts : kNumLightContexts;
}
int InputsPerContext(const ContextMixerOptions& options) {
  return IsFull(options) ? 4 : 2;
}

std::span<const int> MatchLengths(const ContextMixerOptions& options) {
  static constexpr int kFullLengths[kMaxMatchModels] = {5, 10, 20};
  static constexpr int kLightLengths[kMaxMatchModels] = {6, 16, 32};
  if (IsFull(options)) return kFullLengths;
  return kLightLengths;
}

uint64_t AllBytes(const ContextMixerOptions& options) {
  return options.content_bytes + options.start_text.size();
}

// What tables are made for.
uint64_t TableBytes(const ContextMixerOptions& options) {
  return options.table_bytes != 0 ? options.table_bytes : AllBytes(options);
}

// The smallest k with 2^k >= n.
int CeilLog2(uint64_t n) { return n <= 1 ? 0 : 64 - std::countl_zero(n - 1); }

// The light set remembers only the last 2^18 positions of longer matches, which
// saves 6 MB.
int MatchLog2(const ContextMixerOptions& options, bool is_first) {
  return std::clamp(CeilLog2(TableBytes(options)), 10,
                    IsFull(options) || is_first ? 20 : 18);
}

size_t NumBuckets(const ContextMixerOptions& options) {
  // A context makes about 0.75 new slots a byte, three slots fill a line. At
  // most 19 and 205 MB.
  const uint64_t lines =
      TableBytes(options) * static_cast<uint64_t>(NumContexts(options)) / 4;
  return static_cast<size_t>(
      std::clamp<uint64_t>(lines, 1024, IsFull(options) ? 3200000 : 300000));
}

int NumInputs(const ContextMixerOptions& options) {
  const auto num_matches = static_cast<int>(MatchLengths(options).size());
  return NumContexts(options) * InputsPerContext(options) +
         num_matches * MatchModel::kNumInputs + 2;
}

// The contexts that select weights; SelectWeights gives their meaning.
std::vector<uint32_t> SetSizes(const ContextMixerOptions& options) {
  const uint32_t first = 8 * options.num_lanes;
  if (!IsFull(options)) return {first, 256, 2048};
  return {first,   256,     256,  256,  256,  256,  56 * 4, 2048,
          256 * 8, 256 * 8, 4096, 4096, 2048, 2048, 4096};
}
std::vector<uint32_t> FinalSetSizes(const ContextMixerOptions& options) {
  const uint32_t first = 256 * options.num_lanes;
  if (!IsFull(options)) return {first};
  return {first, 256, 256, 2048, 4096};
}

constexpr LearningRate kRate = {.first_q16 = 1300, .last_q16 = 200};
constexpr LearningRate kLightRate = {.first_q16 = 2000, .last_q16 = 500};
constexpr LearningRate kFinalRate = {.first_q16 = 1000, .last_q16 = 130};
constexpr LearningRate kLightFinalRate = {.first_q16 = 1000, .last_q16 = 65};

}  // namespace

ContextMixer::ContextMixer(const ContextMixerOptions& options)
    : options_(options),
      content_(AllBytes(options) + 8, options.pages),
      contexts_(NumContexts(options), InputsPerContext(options),
                NumBuckets(options), options.pages),
      followers_(options.pages),
      record_fields_(options.pages),
      order0_(256),
      order1_(65536, options.pages),
      mixer_(NumInputs(options), SetSizes(options),
             IsFull(options) ? kMixerWeightOne / 64 : kMixerWeightOne / 8,
             IsFull(options) ? kRate : kLightRate, options.kernels,
             options.pages),
      final_mixer_(mixer_.num_sets(), FinalSetSizes(options),
                   kMixerWeightOne / mixer_.num_sets(),
                   IsFull(options) ? kFinalRate : kLightFinalRate,
                   options.kernels, options.pages) {
  for (const int length : MatchLengths(options)) {
    matches_.emplace_back(length, MatchLog2(options, matches_.empty()),
                          options.num_lanes > 1, options.pages);
  }
  refinements_.emplace_back(256, options.pages);
  refinements_.emplace_back(IsFull(options) ? 65536 : 16384, options.pages);
  if (IsFull(options)) refinements_.emplace_back(65536, options.pages);
  if (!options.start_text.empty()) ReadStartText();
}

void ContextMixer::Resize(uint64_t content_bytes) {
  options_.content_bytes = content_bytes;
  content_ =
      ZeroedArray<uint8_t>(content_, AllBytes(options_) + 8, options_.pages);
}

// The start text is a lane of its own after the content.
void ContextMixer::ReadStartText() {
  const uint32_t lane = AddLane(options_.content_bytes);
  for (const char c : options_.start_text) {
    BeginByte(lane);
    for (int i = 7; i >= 0; --i) {
      Predict();
      Update(static_cast<uint8_t>(c) >> i & 1);
    }
  }
}

uint32_t ContextMixer::AddLane(uint64_t begin_ofs) {
  LLMA_DCHECK(begin_ofs <= options_.content_bytes);
  lanes_.emplace_back(static_cast<uint32_t>(begin_ofs));
  return static_cast<uint32_t>(lanes_.size()) - 1;
}

void ContextMixer::BeginByte(uint32_t lane) {
  lane_ = lane;
  own_weights_ = lane % options_.num_lanes;
  partial_ = 1;
  bit_count_ = 0;
  ExpectedByte expected;  // of the last model, that with the longest minimum
  for (size_t i = 0; i < matches_.size(); ++i) {
    MatchModel& match = matches_[i];
    match.BeginByte(&content_[0], lanes_, lane, lanes_[lane].match[i]);
    if (match.expected() != 0) {
      expected = {match.expected(), match.length_bucket()};
    }
  }
  uint32_t* hashes = contexts_.hashes().data();
  const size_t num_active =
      IsFull(options_)
          ? HashFullContexts(lanes_[lane], &content_[0], followers_, expected,
                             options_.ablated, hashes)
          : HashLightContexts(lanes_[lane], hashes);
  contexts_.BeginByte(num_active);
  if (IsFull(options_)) seen_ = contexts_.CountSeen(6);
}

uint32_t ContextMixer::Predict() {
  int16_t* in = mixer_.inputs().data();
  contexts_.Predict(partial_, bit_count_, in);
  in += contexts_.num_inputs();
  for (MatchModel& match : matches_) {
    match.Predict(partial_, in);
    if (IsAblated(9)) std::fill_n(in, MatchModel::kNumInputs, int16_t{0});
    in += MatchModel::kNumInputs;
  }
  const uint32_t c1 = lanes_[lane_].c1();
  *in++ = static_cast<int16_t>(Stretch12(order0_[partial_].p12()));
  *in++ = static_cast<int16_t>(Stretch12(order1_[c1 << 8 | partial_].p12()));
  const auto num_sets = static_cast<size_t>(mixer_.num_sets());
  int16_t* final_in = final_mixer_.inputs().data();
  SelectWeights();
  const std::span<const int32_t> mixed = mixer_.Mix();
  for (size_t i = 0; i < num_sets; ++i) {
    final_in[i] = static_cast<int16_t>(mixed[i] >> 4);
  }
  int mixed_q12 = 0;
  for (const int32_t x : final_mixer_.Mix()) mixed_q12 += x;
  return Refine(mixed_q12 / final_mixer_.num_sets());
}

const MatchModel& ContextMixer::leading_match() const {
  // The full set knows from its contexts what the longest one expects.
  if (IsFull(options_)) return matches_[0];
  for (size_t i = matches_.size() - 1; i > 0; --i) {
    if (matches_[i].length_bucket() > 0) return matches_[i];
  }
  return matches_[0];
}

void ContextMixer::SelectWeights() {
  const LaneHistory& lane = lanes_[lane_];
  const uint32_t match = matches_[0].length_bucket() * 8 + bit_count_;
  mixer_.Select(0, own_weights_ * 8 + bit_count_);
  mixer_.Select(1, IsFull(options_) ? partial_ : match);
  final_mixer_.Select(0, own_weights_ * 256 + partial_);
  if (!IsFull(options_)) mixer_.Select(2, lane.c1() * 8 + bit_count_);
  if (!IsFull(options_)) return;
  mixer_.Select(2, match);
  if (IsAblated(11)) return;
  const auto classes = static_cast<uint32_t>(lane.classes & 0xfff);
  const auto shape = static_cast<uint32_t>(lane.shape & 0xfff);
  const uint32_t word =
      std::min(lane.word_length, 15u) * 16 + std::min(lane.gap_length, 15u);
  const uint32_t expected = matches_[0].expected() & 255;
  mixer_.Select(3, lane.c1());
  mixer_.Select(4, lane.c2());
  mixer_.Select(5, lane.c3());
  mixer_.Select(6,
                (seen_ * 8 + bit_count_) * 4 + std::min(lane.word_length, 3u));
  mixer_.Select(7, expected * 8 + bit_count_);
  mixer_.Select(8, std::min(lane.column(), 255u) * 8 + bit_count_);
  mixer_.Select(9, word * 8 + bit_count_);
  mixer_.Select(10, partial_ * 16 + (classes & 15));
  mixer_.Select(11, classes);
  mixer_.Select(12, contexts_.history(1) * 8 + bit_count_);
  mixer_.Select(13, contexts_.history(2) * 8 + bit_count_);
  mixer_.Select(14, shape);
  final_mixer_.Select(1, match);
  final_mixer_.Select(2, lane.c1());
  final_mixer_.Select(3, word * 8 + bit_count_);
  final_mixer_.Select(4, shape);
}

uint32_t ContextMixer::Refine(int mixed_q12) {
  const LaneHistory& lane = lanes_[lane_];
  const int stretch = mixed_q12 >> 4;
  const uint32_t p = SquashQ12(mixed_q12);
  if (IsAblated(10)) return p;
  const uint32_t p0 = refinements_[0].Refine(stretch, partial_);
  if (!IsFull(options_)) {
    const uint32_t context = (lane.c1() << 8 | partial_) * 0x9e3779b1u >> 18;
    return (2 * p + p0 + refinements_[1].Refine(stretch, context)) >> 2;
  }
  const uint32_t p1 =
      refinements_[1].Refine(stretch, lane.c1() << 8 | partial_);
  const uint32_t p2 = refinements_[2].Refine(
      stretch, Combine(lane.last4() & 0xffff, partial_) >> 16);
  // Half mixed, half refined. Below 2^27.
  const uint32_t refined = (4 * p + p0 + p1 + 2 * p2) >> 3;
  return std::clamp<uint32_t>(refined, 1, kProbOne - 1);
}

void ContextMixer::Update(int bit) {
  contexts_.Update(bit);
  for (MatchModel& match : matches_) match.Update(bit);
  order0_[partial_].Update(bit, kOrderLimit);
  order1_[lanes_[lane_].c1() << 8 | partial_].Update(bit, kOrderLimit);
  mixer_.Update(bit);
  final_mixer_.Update(bit);
  for (RefinementMap& map : refinements_) map.Update(bit, 5);
  partial_ = partial_ << 1 | static_cast<uint32_t>(bit);
  if (++bit_count_ == 8) EndByte();
}

void ContextMixer::EndByte() {
  const auto byte = static_cast<uint8_t>(partial_);
  contexts_.EndByte(byte);
  LaneHistory& lane = lanes_[lane_];
  LLMA_DCHECK(lane.next_ofs < AllBytes(options_));
  content_[lane.next_ofs] = byte;
  if (IsFull(options_)) {
    followers_.Append(lane, byte);
    const uint32_t word_count = lane.word_count;
    lane.Append(byte);
    if (lane.word_count != word_count) followers_.AppendWord(lane);
    record_fields_.Append(content(), lane);
  } else {
    lane.AppendPlain(byte);
  }
}

}  // namespace llma::cm
