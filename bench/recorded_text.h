// SPDX-License-Identifier: Apache-2.0
// What a language model alone says of a text, for studies of mixing.
#ifndef LLMA_BENCH_RECORDED_TEXT_H_
#define LLMA_BENCH_RECORDED_TEXT_H_

#include <algorithm>
#include <cmath>
#include <span>
#include <vector>

#include "cm/joint_predictor.h"
#include "model/row_logits.h"
#include "predict/token_masses.h"
#include "predict/token_walk.h"
#include "tokenizer/tokenizer.h"

namespace llma {

// A piece and what the language model alone says of its decisions, as
// RecordWalk() has them; nothing of an escaped byte.
struct RecordedPiece {
  Bytes bytes;
  std::vector<Probability> decisions;
};

inline std::vector<RecordedPiece> Record(const Model& model,
                                         const KernelTable& kernels,
                                         std::span<const TextPiece> pieces,
                                         uint32_t window, Bytes text) {
  std::vector<RecordedPiece> recorded;
  std::vector<uint32_t> fed = {model.config().start_row};
  std::vector<size_t> piece_of;  // [row of fed]: what comes behind it
  for (const TextPiece& piece : pieces) {
    if (piece.row != TextPiece::kEscape) {
      fed.push_back(piece.row);
      piece_of.push_back(recorded.size());
    }
    recorded.push_back({text.first(piece.size_bytes), {}});
    text = text.subspan(piece.size_bytes);
  }
  ThreadPool pool(0);
  const TokenIndex index(model.tokens());
  TokenMasses masses(model.config().num_tokens);
  ForEachRowLogits(model, kernels, pool, std::span(fed).first(piece_of.size()),
                   window, [&](size_t i, const float* logits) {
                     masses.Set(kernels, logits);
                     RecordWalk(index, masses, fed[i + 1],
                                recorded[piece_of[i]].decisions);
                   });
  return recorded;
}

inline double CostInBits(Probability p1, bool bit) {
  if (p1 == kCertainlyZero || p1 == kCertainlyOne) return 0;
  return kProbBits - std::log2(bit ? p1 : kCertainlyOne - p1);
}

// A second opinion of every bit, in order, that has nothing to say.
struct NoSecondOpinion {
  Probability Predict(Probability first, int /*bit_idx*/) { return first; }
  void Update(bool /*bit*/) {}
};

// Bytes that the pieces cost. joint: null for the language model alone.
template <class SecondOpinion = NoSecondOpinion>
double Cost(std::span<const RecordedPiece> pieces, cm::JointPredictor* joint,
            SecondOpinion&& second = {}) {
  double bits = 0;
  for (const RecordedPiece& piece : pieces) {
    const bool is_last = &piece == &pieces.back();
    auto alone = piece.decisions.begin();
    for (size_t i = 0; i < piece.bytes.size(); ++i) {
      if (joint != nullptr) joint->BeginByte(0);
      for (int k = 7; k >= 0; --k) {
        const bool bit = (piece.bytes[i] >> k & 1) != 0;
        Probability p = second.Predict(
            piece.decisions.empty() ? cm::JointPredictor::kNoOpinion : *alone++,
            k);
        if (joint != nullptr) p = joint->PredictBit(p);
        bits += CostInBits(p, bit);
        if (joint != nullptr) joint->UpdateBit(bit ? 1 : 0);
        second.Update(bit);
      }
      const bool ends = i + 1 == piece.bytes.size();
      if (is_last && ends) break;
      if (piece.decisions.empty()) {
        if (joint != nullptr) joint->EndEscape();
        break;
      }
      const Probability p =
          joint != nullptr ? joint->PredictEnd(*alone) : *alone;
      ++alone;
      bits += CostInBits(p, ends);
      if (joint != nullptr) joint->UpdateEnd(ends);
    }
  }
  return bits / 8;
}

}  // namespace llma

#endif  // LLMA_BENCH_RECORDED_TEXT_H_
