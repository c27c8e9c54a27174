// SPDX-License-Identifier: Apache-2.0
// Joins a language model's decisions with the context models: bits of bytes
// and ends of tokens. The language model starts with the whole say; the
// context models earn theirs, separately where it is sure and where it is not.
#ifndef LLMA_CM_JOINT_PREDICTOR_H_
#define LLMA_CM_JOINT_PREDICTOR_H_

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "cm/context_mixer.h"
#include "cm/context_set.h"
#include "cm/token_ends.h"
#include "cm/token_state.h"
#include "cm/wide_mixer.h"
#include "cm/wide_refinement.h"

namespace llma::cm {

struct JointOptions {
  ModelSet set = ModelSet::kFull;
  // Of all lanes, at most kMaxJointBytes besides a reference.
  uint64_t content_bytes = 0;
  uint64_t table_bytes = 0;             // sizes the tables; 0: the content does
  uint32_t num_lanes = 1;               // of the content, at least 1
  PageSource pages = PageSize::kLarge;  // of the tables
  const KernelTable& kernels = BestKernels();
  // For measurements only, never in a format: bit i leaves out a component.
  // 0 ends of tokens, 1 refinement of bits, 2 contexts of tokens.
  uint32_t ablated = 0;
};
inline constexpr uint64_t kMaxJointBytes = uint64_t{1} << 31;

// A piece is for each of its bytes: BeginByte; eight times PredictBit and
// UpdateBit; then, unless the piece was an escape or the lane is complete,
// PredictEnd and UpdateEnd; after an escape EndEscape. Lanes take turns at the
// borders of pieces. Thread-compatible.
class JointPredictor {
 public:
  // The language model says nothing.
  static constexpr uint32_t kEvenOdds = kProbOne / 2;

  explicit JointPredictor(const JointOptions& options);
  // At the border of two pieces; both go on alike.
  JointPredictor(const JointPredictor&) = default;
  JointPredictor& operator=(const JointPredictor&) = delete;
  // See ContextMixer.
  void Resize(uint64_t content_bytes);

  // See ContextMixer.
  uint32_t AddLane(uint64_t begin_ofs);
  void BeginByte(uint32_t lane);

  // p24: the language model's probability that the decision is 1, 24 bits; 0
  // and 2^24 are certain and come back as they are. Else the joint one in
  // [1, 2^24 - 1].
  uint32_t PredictBit(uint32_t p24);
  void UpdateBit(int bit);
  uint32_t PredictEnd(uint32_t p24);
  void UpdateEnd(bool ends);
  void EndEscape() { EndToken(); }

  // The most memory that content of this size needs, also where the context
  // models of this set predict alone.
  static uint64_t MaxMemoryBytes(ModelSet set, uint64_t content_bytes);

 private:
  static bool IsCertain(uint32_t p24) { return p24 == 0 || p24 == kProbOne; }
  void FillInputs();
  void SelectWeights();
  void EndToken();

  JointOptions options_;
  ContextMixer contexts_;
  ContextSet token_contexts_;
  std::vector<int16_t> token_inputs_;
  std::vector<TokenState> tokens_;  // [lane]
  uint32_t lane_ = 0;
  uint32_t bit_count_ = 0;  // of this byte
  TokenEnds ends_;

  // Of the decision predicted last.
  bool is_certain_ = false;
  uint32_t lm_p24_ = 0;
  uint32_t cm_p24_ = 0;
  int32_t lm_log_odds_ = 0;  // log odds, Q16
  int32_t cm_log_odds_ = 0;

  WideMixer mixer_;
  WideMixer final_mixer_;
  std::array<WideRefinementMap, 3> refinements_;
  std::array<uint32_t, 3> refined_contexts_ = {};
};

}  // namespace llma::cm

#endif  // LLMA_CM_JOINT_PREDICTOR_H_
