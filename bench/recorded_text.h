// SPDX-License-Identifier: Apache-2.0
// What a language model alone says of a text, for studies of mixing.
#ifndef LLMA_BENCH_RECORDED_TEXT_H_
#define LLMA_BENCH_RECORDED_TEXT_H_

#include <algorithm>
#include <cmath>
#include <span>
#include <utility>
#include <vector>

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

}  // namespace llma

#endif  // LLMA_BENCH_RECORDED_TEXT_H_
