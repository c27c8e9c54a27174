// SPDX-License-Identifier: Apache-2.0
// What a language model alone says of a text, for studies of mixing.
#ifndef LLMA_BENCH_RECORDED_TEXT_H_
#define LLMA_BENCH_RECORDED_TEXT_H_

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

#include "cm/joint_predictor.h"
#include "model/forward.h"
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
  constexpr uint32_t kBatchRows = 64;
  ThreadPool pool(0);
  ForwardPass forward(model, kernels, pool, kBatchRows, window);
  KvCache cache(model.config(), window, kBatchRows);
  const TokenIndex index(model.tokens());
  TokenMasses masses(model.config().num_tokens);
  std::vector<float> logits(kBatchRows * forward.logits_stride());
  std::vector<RecordedPiece> recorded;
  uint32_t last_token = model.config().start_row;
  while (!pieces.empty()) {
    const auto batch =
        pieces.first(std::min<size_t>(kBatchRows, pieces.size()));
    pieces = pieces.subspan(batch.size());
    std::vector<uint32_t> fed;
    for (const TextPiece& piece : batch) {
      if (piece.row == TextPiece::kEscape) continue;
      fed.push_back(std::exchange(last_token, piece.row));
    }
    if (!fed.empty()) {
      const StreamBatch stream = {&cache, fed};
      forward.Run({&stream, 1});
      forward.ComputeLogits(0, static_cast<uint32_t>(fed.size()),
                            logits.data());
    }
    uint32_t row = 0;
    for (const TextPiece& piece : batch) {
      recorded.push_back({text.first(piece.size_bytes), {}});
      text = text.subspan(piece.size_bytes);
      if (piece.row == TextPiece::kEscape) continue;
      masses.Set(kernels, logits.data() + row++ * forward.logits_stride());
      RecordWalk(index, masses, piece.row, recorded.back().decisions);
    }
  }
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
