// SPDX-License-Identifier: Apache-2.0
// Imports a model for tests, without the command line of llma.
//
//   import_model SOURCE OUTPUT.llmm
#include <cstdio>

#include "importer/model_import.h"

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: import_model SOURCE OUTPUT.llmm\n");
    return 2;
  }
  const auto fingerprint = llma::ImportModel(argv[1], argv[2], {});
  if (!fingerprint) {
    std::fprintf(stderr, "%s\n", fingerprint.error().what.c_str());
    return 1;
  }
  for (const uint8_t byte : *fingerprint) std::printf("%02x", byte);
  std::printf("\n");
  return 0;
}
