// SPDX-License-Identifier: Apache-2.0
#include "cm/light_predictor.h"

#include <algorithm>
#include <type_traits>

#include "base/status.h"
#include "cm/bit_history.h"
#include "cm/byte_kinds.h"
#include "cm/hashing.h"
#include "cm/logistic.h"

namespace llma::cm {
namespace {

// Rates of learning fall as 1/n with a row's uses; Q16.
constexpr uint32_t kFirstRate = 500;
constexpr uint32_t kLastRate = 130;
// Of one of the rows.
constexpr int32_t kFirstWeight = kMixerWeightOne / (8 * kLightMixerRows);

// Refinements move by 2^-5 of their error.
constexpr int kRefinementShift = 5;
constexpr uint32_t kRefinementSteps = 26;  // the last one is never reached

// Weights are chosen by this many bytes before, each of them with the bit
// number.
constexpr size_t kNumRowBytes = 3;
constexpr size_t kRowsPerByte = 256 * 8;

// As many nibbles as a byte has prefixes of none and of four bits.
constexpr uint32_t kNibbles = 17;

// About 1.75 lines are needed for each byte. At most 58 MB.
size_t NumLightBuckets(uint64_t content_bytes) {
  const uint64_t lines =
      std::clamp<uint64_t>(content_bytes * 7 / 4, 1024, 900000);
  return static_cast<size_t>(lines & ~uint64_t{1});
}

}  // namespace

LightPredictor::LightPredictor(uint64_t content_bytes, PageSource pages,
                               const KernelTable& kernels, uint64_t table_bytes)
    : kernels_(kernels),
      content_(content_bytes + 8, pages),
      table_(NumLightBuckets(table_bytes != 0 ? table_bytes : content_bytes),
             pages),
      match_(table_bytes != 0 ? table_bytes : content_bytes, pages),
      order1_(size_t{256} * kNibbles * 16),
      uses_(kRowsPerByte),
      byte_rows_(kNumRowBytes * kRowsPerByte, pages),
      match_rows_(32 * 8, pages),
      partial_rows_(256, pages),
      refinements0_(256, pages),
      refinements1_(65536, pages) {
  const BitHistoryTable& histories = GetBitHistoryTable();
  for (size_t i = 0; i < 256; ++i) {
    const BitHistory& history = histories.state[i];
    successors_[i].after = {history.next[0], history.next[1]};
    for (auto& maps : maps_) {
      maps[i].Set(InitialProbability22(history), kMapPrior);
    }
  }
  for (auto& maps : run_maps_) {
    for (uint32_t i = 0; i < maps.size(); ++i) {
      maps[i].Set((1u << 22) - (1u << 22) / (2 * (i / 8) + 3), kRunPrior);
    }
  }
  for (uint32_t uses = 0; uses * kLastRate < (kFirstRate - kLastRate) * 16;
       ++uses) {
    rates_.push_back(kFirstRate * 16 / (16 + uses));
  }
  rates_.push_back(kLastRate);
  for (ZeroedArray<WeightRow>* rows :
       {&byte_rows_, &match_rows_, &partial_rows_}) {
    for (size_t i = 0; i < rows->size(); ++i) {
      (*rows)[i].weights.fill(kFirstWeight);
    }
  }
  for (uint32_t i = 0; i < kRefinementSteps; ++i) {
    const int x = static_cast<int>(i) * 4096 - kMaxStretchQ12;
    refinement_starts_[i] = static_cast<uint16_t>(SquashQ12(x) >> 8);
  }
  HashContexts();
  FindFirstNibble();
  PredictBit();
}

LightPredictor::LightPredictor(const LightPredictor& start,
                               uint64_t content_bytes)
    : LightPredictor(start) {
  content_ = ZeroedArray<uint8_t>(start.content_, content_bytes + 8,
                                  start.content_.source());
  PointToOwn(start);
}

// The next bit is predicted already, so all of it is in use.
void LightPredictor::PointToOwn(const LightPredictor& start) {
  const auto move = [](auto*& pointer, auto* from, auto* to) {
    pointer = reinterpret_cast<std::remove_reference_t<decltype(pointer)>>(
        reinterpret_cast<uintptr_t>(pointer) -
        reinterpret_cast<uintptr_t>(from) + reinterpret_cast<uintptr_t>(to));
  };
  const auto move_within = [&](auto*& pointer) { move(pointer, &start, this); };
  const auto move_slot = [&](auto*& pointer) {
    move(pointer, start.table_.buckets(), table_.buckets());
  };
  for (Context& c : contexts_) {
    move_slot(c.nodes);
    move_slot(c.node);
    move_within(c.map);
  }
  for (Run& run : runs_) {
    move_slot(run.slot);
    move_within(run.maps);
    move_within(run.map);
  }
  move(order1_map_, start.order1_.data(), order1_.data());
  for (size_t i = 0; i < kNumRowBytes; ++i) {
    move(weights_[i], &start.byte_rows_[0], &byte_rows_[0]);
  }
  move(weights_[3], &start.match_rows_[0], &match_rows_[0]);
  move(weights_[4], &start.partial_rows_[0], &partial_rows_[0]);
  move(moves_[0], &start.refinements0_[0], &refinements0_[0]);
  move(moves_[1], &start.refinements1_[0], &refinements1_[0]);
  match_.PointToOwn(start.match_);
}

// The contexts of the byte to come, once seven bits of the one before it are
// known, so that memory is on its way while the eighth is coded: that bit is
// taken as 0, and chooses one bucket of a pair later. Two letters that differ
// in their last bit are letters both, with their neighbours.
void LightPredictor::HashContexts() {
  const uint32_t even = partial_ << 1 & 0xff;
  const uint64_t last8 = last8_ << 8 | even;
  uint32_t count = 0;
  const auto add = [&](uint64_t value) {
    hashes_[count] = Hash(value, count + 1);
    table_.PrefetchPair(hashes_[count]);
    ++count;
  };
  for (const int n : {2, 3, 4, 6}) add(last8 & LowBytes(n));
  if (IsBinaryScore(binary_score_)) {
    // Records and machine code have no words, but fields.
    add((last8 & 0xff00) | uint64_t{0xb1} << 56);
    add((last8 & 0xff0000ff) | uint64_t{0xb2} << 56);
    add((last8 & 0xffff0000) | uint64_t{0xb3} << 56);
  } else {
    const bool is_letter = IsLetter(even) || IsLetter(even | 1);
    const uint32_t letter = even < 128 ? even | 0x20 : even;
    const uint32_t word = is_letter ? Combine(word_, letter) | 1 : 0;
    const uint32_t before = !is_letter && word_ != 0 ? word_ : word_before_;
    add(uint64_t{word} << 32 ^ even);
    add(uint64_t{word} << 32 ^ before);
    add(last8 & LowBytes(5));
  }
  LLMA_DCHECK(count == kNumContexts);
}

void LightPredictor::FindFirstNibble() {
  const auto last_bit = static_cast<uint32_t>(last8_ & 1);
  size_t num_runs = 0;
  for (size_t i = 0; i < kNumContexts; ++i) {
    HashSlot* slot = table_.FindInPair(hashes_[i], last_bit);
    hashes_[i] += last_bit * 0x9e3779b1u;
    contexts_[i].nodes = slot->node;
    if (!kHasRun[i]) continue;
    Run& run = runs_[num_runs];
    run.slot = slot;
    run.expected = slot->run_count > 0 ? slot->last_byte | 256u : 0;
    const uint32_t length =
        std::min<uint32_t>(slot->run_count, kRunLengths - 1);
    run.maps = &run_maps_[num_runs][length * 8];
    ++num_runs;
  }
  LLMA_DCHECK(num_runs == kNumRuns);
  match_.BeginByte(&content_[0], next_ofs_, last8_);
}

// Likewise, once three bits are known.
void LightPredictor::HashSecondNibble() {
  for (uint32_t& hash : hashes_) {
    hash = HashNibble(hash, partial_);
    table_.PrefetchPair(hash);
  }
}

void LightPredictor::FindSecondNibble() {
  for (size_t i = 0; i < kNumContexts; ++i) {
    contexts_[i].nodes = table_.FindInPair(hashes_[i], partial_ & 1)->node;
  }
}

// Of each context the log odds of what its bit history means, 0 if it has none;
// of some also those of the byte that followed last time, while it agrees.
inline int16_t* LightPredictor::PredictContexts(uint32_t node, int16_t* in) {
  size_t num_runs = 0;
#pragma GCC unroll 8
  for (size_t i = 0; i < kNumContexts; ++i) {
    Context& c = contexts_[i];
    c.node = c.nodes + node;
    const uint32_t state = *c.node;
    c.map = &maps_[i][state];
    const uint32_t p12 = c.map->p12();
    *in++ = static_cast<int16_t>(state != 0 ? Stretch12(p12) : 0);
    if (kHasRun[i]) in = PredictRun(runs_[num_runs++], in);
  }
  return in;
}

inline int16_t* LightPredictor::PredictRun(Run& run, int16_t* in) {
  const bool agrees = run.expected >> (8 - bit_count_) == partial_;
  run.bit = static_cast<int>(run.expected >> (7 - bit_count_) & 1);
  run.map = agrees ? run.maps + bit_count_ : &unused_;
  const int stretch = Stretch12(run.map->p12());
  const int input = run.bit != 0 ? stretch : -stretch;
  *in++ = static_cast<int16_t>(agrees ? input : 0);
  return in;
}

inline uint32_t LightPredictor::Refine(int stretch_q8, size_t which,
                                       Refinement& refinement) {
  const std::array<uint16_t, 32>& start = refinement_starts_;
  const auto offset = static_cast<uint32_t>(stretch_q8 + kMaxStretchQ8);
  const uint32_t low = offset >> 8;
  const uint32_t fraction = offset & 255;
  const uint32_t nearest = low + (fraction >> 7);
  moves_[which] = &refinement.moves[nearest];
  move_starts_[which] = start[nearest];
  const auto at = [&](uint32_t i) {
    return (start[i] + refinement.moves[i]) & 0xffffu;
  };
  return at(low) * (256 - fraction) + at(low + 1) * fraction;
}

inline void LightPredictor::PredictBit() {
  const auto c1 = static_cast<uint32_t>(last8_ & 0xff);
  Refinement* refinements1 = &refinements1_[c1 << 8];
  // Of the bit after this one, for both values of this one.
  __builtin_prefetch(&refinements1[partial_ << 1 & 0xff]);
  __builtin_prefetch(&refinements1[(partial_ << 1 & 0xff) + 1]);

  const uint32_t first = (1u << (bit_count_ & 3)) - 1;
  const uint32_t node = first + (partial_ & first);
  int16_t* in = PredictContexts(node, inputs_.data());
  match_.Predict(partial_, bit_count_, in);
  in += LightMatch::kNumInputs;
  const uint32_t nibble =
      bit_count_ < 4 ? 0 : 1 + (partial_ >> (bit_count_ - 4) & 15);
  order1_map_ = &order1_[(c1 * kNibbles + nibble) * 16 + node];
  *in++ = static_cast<int16_t>(Stretch12(order1_map_->p12()));
  *in++ = static_cast<int16_t>(Stretch12(order0_[partial_].p12()));
  LLMA_DCHECK(in <= inputs_.data() + kLightMixerInputs);

  row_ = c1 * 8 + bit_count_;
  for (size_t i = 0; i < kNumRowBytes; ++i) {
    const size_t byte = last8_ >> (8 * i) & 0xff;
    const size_t row = i * kRowsPerByte + byte * 8 + bit_count_;
    weights_[i] = byte_rows_[row].weights.data();
    // Most likely the next one.
    __builtin_prefetch(weights_[i] + kLightMixerInputs);
  }
  weights_[3] =
      match_rows_[match_.length_bucket() * 8 + bit_count_].weights.data();
  weights_[4] = partial_rows_[partial_].weights.data();
  const int32_t dot =
      kernels_.light_mixer_dot(inputs_.data(), weights_.data()) >> 2;
  const int mixed = std::clamp(dot, -kMaxStretchQ12, kMaxStretchQ12);
  mixed_p24_ = SquashQ12(mixed);
  const uint32_t p =
      (2 * mixed_p24_ + Refine(mixed >> 4, 0, refinements0_[partial_]) +
       Refine(mixed >> 4, 1, refinements1[partial_])) >>
      2;
  p24_ = std::clamp<uint32_t>(p, 1, kProbOne - 1);
}

void LightPredictor::Update(int bit) {
  const auto which = static_cast<size_t>(bit);
#pragma GCC unroll 8
  for (Context& c : contexts_) {
    c.map->Update(bit, kMapLimit);
    *c.node = successors_[*c.node].after[which];
  }
  for (Run& run : runs_) run.map->Update(run.bit == bit ? 1 : 0, kRunLimit);
  match_.Update(bit);
  order1_map_->Update(bit, kOrderLimit);
  order0_[partial_].Update(bit, kOrderLimit);
  UpdateMixer(bit);
  for (size_t i = 0; i < moves_.size(); ++i) {
    // Rounded towards the bit, so that certainty is reached.
    constexpr int kRound = (1 << kRefinementShift) - 1;
    const int p = (*moves_[i] + move_starts_[i]) & 0xffff;
    const int target = bit != 0 ? 0xffff + kRound : 0;
    const int moved = p + ((target - p) >> kRefinementShift);
    *moves_[i] = static_cast<uint16_t>(moved - move_starts_[i]);
  }
  partial_ = partial_ << 1 | static_cast<uint32_t>(bit);
  ++bit_count_;
  if (bit_count_ == 3) HashSecondNibble();
  if (bit_count_ == 4) FindSecondNibble();
  if (bit_count_ == 7) HashContexts();
  if (bit_count_ == 8) EndByte();
  PredictBit();
}

inline void LightPredictor::UpdateMixer(int bit) {
  const int32_t target = bit != 0 ? int32_t{kProbOne} : 0;
  uint16_t& uses = uses_[row_];
  const int64_t rate = rates_[uses];
  uses = static_cast<uint16_t>(uses + (uses + 1u < rates_.size() ? 1 : 0));
  // As MixerLayer: x is Q8, w is Q28, so the factor of x is the error in Q20.
  const int64_t error = target - static_cast<int32_t>(mixed_p24_);
  const int64_t factor = (error * rate + (1 << 19)) >> 20;  // below 2^14
  kernels_.light_mixer_train(inputs_.data(), static_cast<int32_t>(factor),
                             weights_.data());
}

void LightPredictor::EndByte() {
  const auto byte = static_cast<uint8_t>(partial_);
  for (const Run& run : runs_) {
    HashSlot& slot = *run.slot;
    const bool goes_on = slot.run_count > 0 && slot.last_byte == byte;
    const uint32_t longer = slot.run_count + (slot.run_count < 255 ? 1u : 0u);
    slot.run_count = static_cast<uint8_t>(goes_on ? longer : 1);
    slot.last_byte = byte;
  }
  LLMA_DCHECK(next_ofs_ < content_.size());
  content_[next_ofs_++] = byte;
  last8_ = last8_ << 8 | byte;
  binary_score_ = NextBinaryScore(binary_score_, byte);
  if (IsLetter(byte)) {
    word_ = Combine(word_, FoldCase(byte)) | 1;
  } else {
    if (word_ != 0) word_before_ = word_;
    word_ = 0;
  }
  partial_ = 1;
  bit_count_ = 0;
  FindFirstNibble();
}

}  // namespace llma::cm
