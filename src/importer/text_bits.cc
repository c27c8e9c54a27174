// SPDX-License-Identifier: Apache-2.0
#include "importer/text_bits.h"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "model/forward.h"
#include "tokenizer/tokenizer.h"

namespace llma {
namespace {

constexpr uint32_t kBatchRows = 64;

}  // namespace

Result<TextRows> RowsOfText(const Model& model, Bytes text, size_t max_tokens) {
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model.tokens(), model.tokenizer()));
  TextRows found;
  for (const TextPiece& piece : tokenizer->Encode(text)) {
    if (piece.row == TextPiece::kEscape) continue;
    if (found.rows.size() == max_tokens) break;
    found.rows.push_back(piece.row);
    found.size_bytes.push_back(piece.size_bytes);
  }
  return found;
}

double ExactBits(const Model& model, const KernelTable& kernels,
                 ThreadPool& pool, std::span<const uint32_t> rows) {
  const auto num_tokens = static_cast<uint32_t>(rows.size());
  std::vector<uint32_t> fed = {model.config().start_row};
  fed.insert(fed.end(), rows.begin(), rows.end());
  ForwardPass forward(model, kernels, pool, kBatchRows, num_tokens);
  KvCache cache(model.config(), num_tokens, kBatchRows);
  std::vector<float> logits(kBatchRows * forward.logits_stride());
  const uint32_t num_weights = model.config().num_tokens;
  std::vector<uint32_t> weights(num_weights);
  std::vector<uint64_t> sums((num_weights + kTokenBlock - 1) / kTokenBlock);
  double bits = 0;
  for (uint32_t i = 0; i < num_tokens; i += kBatchRows) {
    const uint32_t count = std::min(kBatchRows, num_tokens - i);
    const StreamBatch stream = {&cache, std::span(fed).subspan(i, count)};
    forward.Run({&stream, 1});
    forward.ComputeLogits(0, count, logits.data());
    for (uint32_t row = 0; row < count; ++row) {
      kernels.token_weights(logits.data() + row * forward.logits_stride(),
                            num_weights, weights.data(), sums.data());
      const uint64_t total =
          std::accumulate(sums.begin(), sums.end(), uint64_t{0});
      bits += std::log2(static_cast<double>(total) / weights[rows[i + row]]);
    }
  }
  return bits;
}

}  // namespace llma
