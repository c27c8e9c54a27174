// SPDX-License-Identifier: Apache-2.0
// The hashed contexts of one model set and their statistics: finds the bit
// histories of a byte's contexts, turns them into mixer inputs, learns.
#ifndef LLMA_CM_CONTEXT_SET_H_
#define LLMA_CM_CONTEXT_SET_H_

#include <cstdint>
#include <span>
#include <vector>

#include "cm/bit_history.h"
#include "cm/counters.h"
#include "cm/hash_table.h"

namespace llma::cm {

// Thread-compatible. Shared by all lanes; a byte is coded without turning to
// another lane in between.
class ContextSet {
 public:
  // inputs_per_context: 2 or 4.
  ContextSet(int num_contexts, int inputs_per_context, size_t num_buckets,
             PageSource pages);

  // Of the byte to come. The caller fills it before BeginByte.
  std::span<uint32_t> hashes() { return hashes_; }
  int num_inputs() const {
    return static_cast<int>(contexts_.size()) * inputs_per_context_;
  }

  // Only the first num_active contexts take part in this byte.
  void BeginByte(size_t num_active);
  // Writes num_inputs() mixer inputs. partial: the byte's bits so far after a
  // leading 1; bit_count: how many.
  void Predict(uint32_t partial, uint32_t bit_count, int16_t* inputs);
  void Update(int bit);
  // After the eighth bit.
  void EndByte(uint8_t byte);

  // How many of the first `n` contexts had been seen before this byte.
  uint32_t CountSeen(size_t n) const;
  // The bit history of context `i` for the bit to come.
  uint32_t history(size_t i) const { return *contexts_[i].node; }

 private:
  struct Context {
    HashSlot* slot = nullptr;      // of the current nibble
    HashSlot* run = nullptr;       // of the first nibble
    uint8_t* node = nullptr;       // the bit history in use
    AdaptiveBit32* map = nullptr;  // what it means
    AdaptiveBit32* run_map = nullptr;
    int run_bit = -1;  // predicted by the run, -1: none
  };
  static constexpr uint32_t kRunLengths = 16;

  template <bool kAllInputs>
  void PredictAll(uint32_t partial, uint32_t bit_count, int16_t* inputs);
  std::span<Context> active() { return {contexts_.data(), num_active_}; }
  void FindSecondNibble(uint32_t partial);

  const BitHistory* histories_;
  int inputs_per_context_;
  HashTable table_;
  std::vector<uint32_t> hashes_;
  std::vector<Context> contexts_;
  size_t num_active_ = 0;
  std::vector<AdaptiveBit32> maps_;      // [context, history]
  std::vector<AdaptiveBit32> run_maps_;  // [context, run length, bit number]
};

}  // namespace llma::cm

#endif  // LLMA_CM_CONTEXT_SET_H_
