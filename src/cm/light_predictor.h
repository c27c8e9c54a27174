// SPDX-License-Identifier: Apache-2.0
// The light set of context models when it predicts alone: fewer models than
// ContextMixer's, arranged for speed. One lane.
//
// Goals: the same predictions on every machine (integers only); twice the
// speed of zpaq -m5 at its size. Non-goal: to work with a language model, which
// JointPredictor does.
#ifndef LLMA_CM_LIGHT_PREDICTOR_H_
#define LLMA_CM_LIGHT_PREDICTOR_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "cm/counters.h"
#include "cm/hash_table.h"
#include "cm/light_match.h"
#include "cm/zeroed_array.h"
#include "kernels/kernel_table.h"

namespace llma::cm {

// For each byte of the content BeginByte, then eight times Predict and Update.
// Thread-compatible.
class LightPredictor {
 public:
  // content_bytes: at most 2^31 besides a reference. table_bytes: sizes the
  // tables; 0: the content does.
  LightPredictor(uint64_t content_bytes, PageSource pages,
                 const KernelTable& kernels, uint64_t table_bytes = 0);
  // At the border of two bytes: goes on as `start` does, with room for this
  // content.
  LightPredictor(const LightPredictor& start, uint64_t content_bytes);
  LightPredictor& operator=(const LightPredictor&) = delete;

  void BeginByte() {}  // there is nothing to do
  // The probability that the next bit (most significant first) is 1, in units
  // of 2^-24, in [1, 2^24 - 1].
  uint32_t Predict() const { return p24_; }
  // Teaches the bit just predicted.
  void Update(int bit);

  // The byte that the last eight bits made.
  uint8_t last_byte() const { return static_cast<uint8_t>(last8_); }

 private:
  LightPredictor(const LightPredictor&) = default;

  static constexpr size_t kNumContexts = 7;
  // Contexts that also know the byte that followed last.
  static constexpr std::array<bool, kNumContexts> kHasRun = {
      true, false, false, false, true, false, true};
  static constexpr size_t kNumRuns = 3;
  static constexpr uint32_t kRunLengths = 16;

  // A bit history in use and what it means.
  struct Context {
    uint8_t* nodes = nullptr;  // of the nibble
    uint8_t* node = nullptr;
    AdaptiveBit32* map = nullptr;
  };
  struct Run {
    HashSlot* slot = nullptr;
    uint32_t expected = 0;          // the byte plus 256; 0: none
    AdaptiveBit32* maps = nullptr;  // of its length
    AdaptiveBit32* map = nullptr;   // of the bit; unused_ if it says nothing
    int bit = 0;
  };
  // Refines a probability given a context: estimates of 16 bits, 256 log odds
  // apart, as how far they moved from the identity. One cache line.
  struct alignas(64) Refinement {
    std::array<uint16_t, 32> moves;
  };
  struct alignas(64) WeightRow {
    std::array<int32_t, kLightMixerInputs> weights;
  };
  struct Successors {
    std::array<uint8_t, 2> after;
  };

  // Turns what points into the parts of `start` to those of this.
  void PointToOwn(const LightPredictor& start);
  void HashContexts();
  void HashSecondNibble();
  void FindSecondNibble();
  void FindFirstNibble();
  void EndByte();
  void PredictBit();
  int16_t* PredictContexts(uint32_t node, int16_t* in);
  int16_t* PredictRun(Run& run, int16_t* in);
  uint32_t Refine(int stretch_q8, size_t which, Refinement& refinement);
  void UpdateMixer(int bit);

  // What changes with every bit.
  alignas(64) std::array<int16_t, kLightMixerInputs> inputs_ = {};
  std::array<Context, kNumContexts> contexts_ = {};
  std::array<Run, kNumRuns> runs_ = {};
  std::array<uint32_t, kNumContexts> hashes_ = {};
  uint32_t partial_ = 1;  // the byte so far, after a leading 1
  uint32_t bit_count_ = 0;
  uint32_t p24_ = 0;
  uint32_t mixed_p24_ = 0;
  AdaptiveBit32* order1_map_ = nullptr;
  size_t row_ = 0;
  std::array<int32_t*, kLightMixerRows> weights_ = {};  // the rows in use
  std::array<uint16_t*, 2> moves_ = {};                 // those that learn
  std::array<uint16_t, 2> move_starts_ = {};            // what they move from

  // What changes with every byte.
  uint64_t last8_ = 0;  // the last bytes, latest lowest
  uint32_t next_ofs_ = 0;
  uint32_t word_ = 0;          // hash of the unfinished word; 0: none
  uint32_t word_before_ = 0;   // of the one before
  uint32_t binary_score_ = 0;  // how many recent bytes are no text

  const KernelTable& kernels_;
  ZeroedArray<uint8_t> content_;
  HashTable table_;
  LightMatch match_;
  std::array<Successors, 256> successors_;  // of a bit history
  AdaptiveBit32 unused_;
  // What the estimates of a refinement start as: the identity.
  std::array<uint16_t, 32> refinement_starts_ = {};
  std::array<std::array<AdaptiveBit32, 256>, kNumContexts> maps_;
  std::array<std::array<AdaptiveBit32, kRunLengths * 8>, kNumRuns> run_maps_;
  std::array<AdaptiveBit32, 256> order0_;  // [partial byte]
  std::vector<AdaptiveBit32> order1_;      // [byte before, nibble, node]
  std::vector<uint32_t> rates_;            // [uses], up to the last one
  // Of the first kind of rows, at most the last of rates_.
  std::vector<uint16_t> uses_;
  // Chosen by one of the last three bytes and the number of the bit, by the
  // length of the match and that number, and by the partial byte.
  ZeroedArray<WeightRow> byte_rows_;
  ZeroedArray<WeightRow> match_rows_;
  ZeroedArray<WeightRow> partial_rows_;
  ZeroedArray<Refinement> refinements0_;  // [partial byte]
  ZeroedArray<Refinement> refinements1_;  // [byte before, partial byte]
};

}  // namespace llma::cm

#endif  // LLMA_CM_LIGHT_PREDICTOR_H_
