// SPDX-License-Identifier: Apache-2.0
// Bits that the exact engine spends on a text, to compare with
// bench/float_reference.py: fresh chunks of tokens, each after the start
// token.
//
//   engine_bits MODEL.llmm TEXT [CHUNKS [CHUNK_TOKENS]]
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "importer/measure/text_bits.h"
#include "platform/descriptors.h"

namespace llma {
namespace {

Status Run(int argc, char** argv) {
  LLMA_ASSIGN(const auto model, Model::Open(argv[1]));
  LLMA_ASSIGN(const std::vector<uint8_t> text, ReadFile(argv[2]));
  const size_t num_chunks =
      argc > 3 ? std::strtoul(argv[3], nullptr, 10) : ~size_t{0};
  const size_t chunk_tokens =
      argc > 4 ? std::strtoul(argv[4], nullptr, 10) : 2048;
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  LLMA_ASSIGN(const TextRows all, RowsOfText(*model, text, ~size_t{0}));
  ThreadPool pool(0);
  double bits = 0;
  size_t bytes = 0, tokens = 0;
  for (size_t chunk = 0;
       chunk < num_chunks && chunk * chunk_tokens < all.rows.size(); ++chunk) {
    const size_t begin = chunk * chunk_tokens;
    const size_t count = std::min(chunk_tokens, all.rows.size() - begin);
    const double chunk_bits = ExactBits(
        *model, *kernels, pool, std::span(all.rows).subspan(begin, count));
    std::printf("chunk %2zu: %12.3f bits\n", chunk, chunk_bits);
    bits += chunk_bits;
    tokens += count;
    for (size_t i = 0; i < count; ++i) bytes += all.size_bytes[begin + i];
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
