// SPDX-License-Identifier: Apache-2.0
// Imports a model for tests, without the command line of llma.
//
//   import_model SOURCE OUTPUT.llmm
//   import_model --check SOURCE TEXT    what import and exact arithmetic lose
#include <cstdio>
#include <cstring>

#include "base/file_io.h"
#include "importer/import_loss.h"
#include "importer/model_import.h"

namespace {

constexpr uint32_t kMaxTokens = 1024;

int Check(const char* source, const char* text_path) {
  const auto text = llma::ReadFile(text_path);
  const auto loss = text ? llma::MeasureImportLoss(source, *text, kMaxTokens, 0)
                         : llma::Result<llma::ImportLoss>(text.error());
  if (!loss) {
    std::fprintf(stderr, "%s\n", loss.error().what.c_str());
    return 1;
  }
  std::printf(
      "%u tokens, %llu bytes: float32 %.1f bits, imported %.1f, %+.2f %%\n",
      loss->num_tokens, static_cast<unsigned long long>(loss->num_bytes),
      loss->float_bits, loss->exact_bits,
      100 * (loss->exact_bits / loss->float_bits - 1));
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--check") == 0) {
    return Check(argv[2], argv[3]);
  }
  if (argc != 3) {
    std::fprintf(stderr,
                 "usage: import_model [--check] SOURCE OUTPUT.llmm|TEXT\n");
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
