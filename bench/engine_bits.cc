// SPDX-License-Identifier: Apache-2.0
// Bits that the exact engine spends on a text, to compare with
// bench/float_reference.py: fresh chunks of tokens, each behind the start
// token.
//
//   engine_bits MODEL.llmm TEXT [CHUNKS [CHUNK_TOKENS]]
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/file_io.h"
#include "model/forward.h"
#include "predict/token_masses.h"
#include "tokenizer/tokenizer.h"

namespace llma {
namespace {

constexpr uint32_t kBatchRows = 64;

// Bits of tokens behind the start token, each -log2(weight / sum of weights).
double ChunkBits(const Model& model, ForwardPass& forward,
                 const KernelTable& kernels,
                 std::span<const TextPiece> pieces) {
  const auto num_tokens = static_cast<uint32_t>(pieces.size());
  KvCache cache(model.config(), num_tokens, kBatchRows);
  TokenMasses masses(model.config().num_tokens);
  std::vector<uint32_t> fed = {model.config().start_row};
  for (const TextPiece& piece : pieces) fed.push_back(piece.row);
  std::vector<float> logits(kBatchRows * forward.logits_stride());
  double bits = 0;
  for (uint32_t i = 0; i < num_tokens; i += kBatchRows) {
    const uint32_t count = std::min(kBatchRows, num_tokens - i);
    const StreamBatch stream = {&cache, std::span(fed).subspan(i, count)};
    forward.Run({&stream, 1});
    forward.ComputeLogits(0, count, logits.data());
    for (uint32_t row = 0; row < count; ++row) {
      masses.Set(kernels, logits.data() + row * forward.logits_stride());
      bits +=
          std::log2(static_cast<double>(masses.Mass(0, masses.num_tokens())) /
                    static_cast<double>(masses.weight(fed[i + row + 1])));
    }
  }
  return bits;
}

Status Run(int argc, char** argv) {
  LLMA_ASSIGN(const auto model, Model::Open(argv[1]));
  LLMA_ASSIGN(const std::vector<uint8_t> text, ReadFile(argv[2]));
  const size_t num_chunks =
      argc > 3 ? std::strtoul(argv[3], nullptr, 10) : ~size_t{0};
  const size_t chunk_tokens =
      argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 2048;
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model->tokens(), model->tokenizer()));
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  std::vector<TextPiece> pieces = tokenizer->Encode(text);
  std::erase_if(pieces,
                [](TextPiece p) { return p.row == TextPiece::kEscape; });
  ThreadPool pool(0);
  ForwardPass forward(*model, *kernels, pool, kBatchRows,
                      static_cast<uint32_t>(chunk_tokens));
  double bits = 0;
  size_t bytes = 0, tokens = 0;
  for (size_t chunk = 0;
       chunk < num_chunks && chunk * chunk_tokens < pieces.size(); ++chunk) {
    const size_t begin = chunk * chunk_tokens;
    const auto part = std::span(pieces).subspan(
        begin, std::min(chunk_tokens, pieces.size() - begin));
    const double chunk_bits = ChunkBits(*model, forward, *kernels, part);
    std::printf("chunk %2zu: %12.3f bits\n", chunk, chunk_bits);
    bits += chunk_bits;
    tokens += part.size();
    for (const TextPiece& piece : part) bytes += piece.size_bytes;
  }
  std::printf("total: %zu tokens, %zu bytes, %.3f bits, %.5f bits/byte\n",
              tokens, bytes, bits, bits / static_cast<double>(bytes));
  return OkStatus();
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr,
                 "usage: engine_bits MODEL.llmm TEXT [CHUNKS [TOKENS]]\n");
    return 1;
  }
  const llma::Status status = llma::Run(argc, argv);
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
