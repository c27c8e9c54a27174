// SPDX-License-Identifier: Apache-2.0
// "Does the token end here?": refines a language model's answer with how the
// same bytes were cut before.
#ifndef LLMA_CM_TOKEN_ENDS_H_
#define LLMA_CM_TOKEN_ENDS_H_

#include <array>
#include <cstdint>
#include <vector>

#include "cm/context_mixer.h"
#include "cm/counters.h"
#include "cm/token_state.h"
#include "cm/wide_mixer.h"
#include "cm/wide_refinement.h"
#include "cm/zeroed_array.h"

namespace llma::cm {

// Shared by all lanes. Thread-compatible.
class TokenEnds {
 public:
  // table_bytes: sizes the tables. Each context has at most
  // 2^max_counters_log2 counters.
  TokenEnds(uint64_t content_bytes, uint64_t table_bytes, int max_counters_log2,
            PageSource pages, const KernelTable& kernels);
  // See JointPredictor.
  void Resize(uint64_t content_bytes) {
    ended_ = ZeroedArray<uint8_t>(ended_, content_bytes, ended_.source());
  }

  // p24: the language model's, not certain. lane: after the byte, as is
  // `token`. Returns a probability in [1, 2^24 - 1].
  uint32_t Predict(uint32_t p24, const ContextMixer& contexts,
                   const LaneHistory& lane, const TokenState& token,
                   uint32_t lane_idx);
  // Teaches the decision just predicted.
  void Update(bool ends);
  // Notes for later what the decision after the byte at `ofs` was, predicted
  // or not.
  void Note(uint64_t ofs, bool ends) {
    ended_[static_cast<size_t>(ofs)] = ends ? 1 : 0;
  }

 private:
  static constexpr size_t kNumCounters = 6;

  struct MatchEstimate {
    AdaptiveBit32* right = nullptr;  // null: no prediction
    bool ends = false;
  };

  // Writes the inputs; returns the context of the best match, 0 if none.
  uint32_t AskMatches(const ContextMixer& contexts, const LaneHistory& lane,
                      uint32_t depth, int32_t* inputs);
  void AskCounters(const LaneHistory& lane, const TokenState& token,
                   uint32_t lane_idx, int32_t* inputs);

  int counters_log2_;
  std::vector<ZeroedArray<ZeroedBit32>> counters_;  // [kNumCounters]
  std::array<ZeroedBit32*, kNumCounters> asked_ = {};
  std::vector<AdaptiveBit32> match_estimates_;  // [model, length, depth]
  std::array<MatchEstimate, kMaxMatchModels> matches_ = {};
  ZeroedArray<uint8_t> ended_;  // [byte of the content]: a token ended there
  WideMixer mixer_;
  WideRefinementMap refinement_;
};

}  // namespace llma::cm

#endif  // LLMA_CM_TOKEN_ENDS_H_
