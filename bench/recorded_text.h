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
  std::vector<size_t> piece_of;  // [row of fed]: what comes after it
  for (const TextPiece& piece : pieces) {
    if (piece.token != TextPiece::kEscape) {
      fed.push_back(piece.token);
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

// Bits of one piece. is_last: of its lane, whose end needs no decision.
template <class SecondOpinion>
double PieceCostInBits(const RecordedPiece& piece, bool is_last, uint32_t lane,
                       cm::JointPredictor* joint, SecondOpinion& second) {
  double bits = 0;
  auto alone = piece.decisions.begin();
  for (size_t i = 0; i < piece.bytes.size(); ++i) {
    if (joint != nullptr) joint->BeginByte(lane);
    for (int k = 7; k >= 0; --k) {
      const bool bit = (piece.bytes[i] >> k & 1) != 0;
      Probability p = second.Predict(
          piece.decisions.empty() ? cm::JointPredictor::kEvenOdds : *alone++,
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
    const Probability p = joint != nullptr ? joint->PredictEnd(*alone) : *alone;
    ++alone;
    bits += CostInBits(p, ends);
    if (joint != nullptr) joint->UpdateEnd(ends);
  }
  return bits;
}

// Bytes that the pieces cost. joint: null for the language model alone.
template <class SecondOpinion = NoSecondOpinion>
double Cost(std::span<const RecordedPiece> pieces, cm::JointPredictor* joint,
            SecondOpinion&& second = {}) {
  double bits = 0;
  for (const RecordedPiece& piece : pieces) {
    bits += PieceCostInBits(piece, &piece == &pieces.back(), 0, joint, second);
  }
  return bits / 8;
}

// The same cut into lanes, one piece of each in turn, as frames are. `joint`
// has no lanes yet.
inline double CostInLanes(std::span<const RecordedPiece> pieces,
                          uint32_t num_lanes, cm::JointPredictor& joint) {
  std::vector<std::span<const RecordedPiece>> lanes;
  uint64_t begin_ofs = 0;
  for (uint32_t i = 0; i < num_lanes; ++i) {
    const size_t begin = pieces.size() * i / num_lanes;
    const size_t end = pieces.size() * (i + 1) / num_lanes;
    lanes.push_back(pieces.subspan(begin, end - begin));
    joint.AddLane(begin_ofs);
    for (const RecordedPiece& piece : lanes.back()) {
      begin_ofs += piece.bytes.size();
    }
  }
  double bits = 0;
  NoSecondOpinion second;
  for (size_t step = 0; step <= pieces.size() / num_lanes; ++step) {
    for (uint32_t i = 0; i < num_lanes; ++i) {
      if (step >= lanes[i].size()) continue;
      bits += PieceCostInBits(lanes[i][step], step + 1 == lanes[i].size(), i,
                              &joint, second);
    }
  }
  return bits / 8;
}

}  // namespace llma

#endif  // LLMA_BENCH_RECORDED_TEXT_H_
