// SPDX-License-Identifier: Apache-2.0
// Writes what tests compare every kernel table and engine with: a hash for each
// layer and step of the plain forward pass.
//
//   golden_trace tests/data/tiny.llmm >tests/data/tiny_trace.txt
#include "engine/golden_trace.h"

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: golden_trace MODEL.llmm >TRACE\n");
    return 2;
  }
  const auto model = llma::Model::Open(argv[1]);
  if (!model) {
    std::fprintf(stderr, "%s: %s\n", argv[1], model.error().what.c_str());
    return 1;
  }
  llma::TraceHashes hashes;
  llma::TraceReference(**model, hashes);
  for (const std::string& line : hashes.Lines()) std::puts(line.c_str());
  return 0;
}
