// SPDX-License-Identifier: Apache-2.0
#include "cm/context_set.h"

#include <algorithm>

#include "cm/hashing.h"
#include "cm/logistic.h"

namespace llma::cm {
ContextSet::ContextSet(int num_contexts, int inputs_per_context,
                       size_t num_buckets, PageSource pages)
    : histories_(GetBitHistoryTable().state.data()),
      inputs_per_context_(inputs_per_context),
      table_(num_buckets, pages),
      hashes_(static_cast<size_t>(num_contexts)),
      contexts_(hashes_.size()),
      maps_(hashes_.size() * 256),
      run_maps_(hashes_.size() * kRunLengths * 8) {
  for (size_t i = 0; i < maps_.size(); ++i) {
    maps_[i].Set(InitialProbability22(histories_[i % 256]), kMapPrior);
  }
  for (size_t i = 0; i < run_maps_.size(); ++i) {
    const auto run = static_cast<uint32_t>(i / 8 % kRunLengths);
    run_maps_[i].Set((1u << 22) - (1u << 22) / (2 * run + 3), kRunPrior);
  }
}

void ContextSet::BeginByte(size_t num_active) {
  num_active_ = num_active;
  for (size_t i = 0; i < num_active_; ++i) table_.Prefetch(hashes_[i]);
  for (size_t i = 0; i < num_active_; ++i) {
    contexts_[i].slot = contexts_[i].run = table_.Find(hashes_[i]);
  }
}

void ContextSet::FindSecondNibble(uint32_t partial) {
  for (size_t i = 0; i < num_active_; ++i) {
    hashes_[i] = HashNibble(hashes_[i], partial);
    table_.Prefetch(hashes_[i]);
  }
  for (size_t i = 0; i < num_active_; ++i) {
    contexts_[i].slot = table_.Find(hashes_[i]);
  }
}

void ContextSet::Predict(uint32_t partial, uint32_t bit_count,
                         int16_t* inputs) {
  if (bit_count == 4) FindSecondNibble(partial);
  if (inputs_per_context_ == 4) {
    PredictAll<true>(partial, bit_count, inputs);
  } else {
    PredictAll<false>(partial, bit_count, inputs);
  }
}

// The inputs of a context:
//   0  log odds of what its bit history means, 0 if it has none;
//   1  log odds of the byte that followed last time, while it agrees;
//   2  the probability itself, less one half: says more where both are likely;
//   3  input 0 again if the history holds one kind of bit only, which deserves
//      a weight of its own (0.6 % of the size).
template <bool kAllInputs>
void ContextSet::PredictAll(uint32_t partial, uint32_t bit_count,
                            int16_t* inputs) {
  const uint32_t nibble_bits = bit_count & 3;
  const uint32_t first = (1u << nibble_bits) - 1;
  const uint32_t node = first + (partial & first);
  AdaptiveBit32* map = maps_.data();
  AdaptiveBit32* run_map = run_maps_.data() + bit_count;
  for (Context& c : active()) {
    c.node = &c.slot->node[node];
    const uint32_t state = *c.node;
    c.map = map + state;
    const uint32_t p12 = c.map->p12();
    const auto stretch = static_cast<int16_t>(state != 0 ? Stretch12(p12) : 0);
    inputs[0] = stretch;
    c.run_bit = -1;
    inputs[1] = 0;
    const uint32_t expected = c.run->last_byte | 256u;
    if (c.run->run_count > 0 && expected >> (8 - bit_count) == partial) {
      c.run_bit = static_cast<int>(expected >> (7 - bit_count) & 1);
      c.run_map =
          run_map + std::min<uint32_t>(c.run->run_count, kRunLengths - 1) * 8;
      const int run_stretch = Stretch12(c.run_map->p12());
      inputs[1] =
          static_cast<int16_t>(c.run_bit != 0 ? run_stretch : -run_stretch);
    }
    if constexpr (kAllInputs) {
      const BitHistory& history = histories_[state];
      inputs[2] = static_cast<int16_t>(
          state != 0 ? (static_cast<int>(p12) - 2048) >> 2 : 0);
      inputs[3] = history.n0 == 0 || history.n1 == 0 ? stretch : int16_t{0};
    }
    inputs += kAllInputs ? 4 : 2;
    map += 256;
    run_map += kRunLengths * 8;
  }
  const size_t num_idle = contexts_.size() - num_active_;
  std::fill_n(inputs, num_idle * (kAllInputs ? 4 : 2), int16_t{0});
}

void ContextSet::Update(int bit) {
  for (Context& c : active()) {
    c.map->Update(bit, kMapLimit);
    *c.node = histories_[*c.node].next[bit];
    if (c.run_bit >= 0) c.run_map->Update(c.run_bit == bit ? 1 : 0, kRunLimit);
  }
}

void ContextSet::EndByte(uint8_t byte) {
  for (Context& c : active()) {
    HashSlot& run = *c.run;
    if (run.run_count > 0 && run.last_byte == byte) {
      if (run.run_count < 255) ++run.run_count;
    } else {
      run.last_byte = byte;
      run.run_count = 1;
    }
  }
}

uint32_t ContextSet::CountSeen(size_t n) const {
  uint32_t seen = 0;
  for (size_t i = 0; i < n; ++i) {
    seen += contexts_[i].run->node[0] != 0 ? 1u : 0u;
  }
  return seen;
}

}  // namespace llma::cm
