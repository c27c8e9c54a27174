// SPDX-License-Identifier: Apache-2.0
#include "importer/measure/text_bits.h"

#include <cmath>
#include <numeric>

#include "model/row_logits.h"
#include "tokenizer/tokenizer.h"

namespace llma {
namespace {

constexpr uint32_t kMaxWindow = 1 << 20;  // more than any text here needs

}  // namespace

Result<TextRows> RowsOfText(const Model& model, Bytes text, size_t max_tokens) {
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model.tokens(), model.tokenizer()));
  TextRows found;
  for (const TextPiece& piece : tokenizer->Encode(text)) {
    if (piece.token == TextPiece::kEscape) continue;
    if (found.rows.size() == max_tokens) break;
    found.rows.push_back(piece.token);
    found.size_bytes.push_back(piece.size_bytes);
  }
  return found;
}

double ExactBits(const Model& model, const KernelTable& kernels,
                 ThreadPool& pool, std::span<const uint32_t> rows) {
  if (rows.empty()) return 0;
  std::vector<uint32_t> fed = {model.config().start_row};
  fed.insert(fed.end(), rows.begin(), rows.end() - 1);
  const uint32_t num_weights = model.config().num_tokens;
  std::vector<uint32_t> weights(num_weights);
  std::vector<uint64_t> sums((num_weights + kTokenBlock - 1) / kTokenBlock);
  double bits = 0;
  ForEachRowLogits(
      model, kernels, pool, fed,
      model.config().WindowThatSees(rows.size(), kMaxWindow),
      [&](size_t i, const float* logits) {
        kernels.token_weights(logits, num_weights, weights.data(), sums.data());
        const uint64_t total =
            std::accumulate(sums.begin(), sums.end(), uint64_t{0});
        bits += std::log2(static_cast<double>(total) / weights[rows[i]]);
      });
  return bits;
}

}  // namespace llma
