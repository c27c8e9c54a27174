// SPDX-License-Identifier: Apache-2.0
// What mixing context models with a language model brings, and each part of
// it: bytes that the decisions of a text cost, without a header. The language
// model reads the text in one lane; the context models learn in LANES.
//
//   mixing_study MODEL.llmm MAX_BYTES WINDOW LANES TEXT...
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "platform/descriptors.h"
#include "recorded_text.h"

namespace llma {
namespace {

struct Variant {
  const char* name;
  cm::ModelSet set;
  uint32_t ablated;
};
constexpr Variant kVariants[] = {
    {"light", cm::ModelSet::kLight, 0},
    {"full", cm::ModelSet::kFull, 0},
    {"full, ends of tokens as they are", cm::ModelSet::kFull, 1},
    {"full, bits not refined", cm::ModelSet::kFull, 2},
    {"full, no contexts of tokens", cm::ModelSet::kFull, 4},
};

Status Run(int argc, char** argv) {
  LLMA_ASSIGN(const auto model, Model::Open(argv[1]));
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model->tokens(), model->tokenizer()));
  const size_t max_bytes = std::strtoul(argv[2], nullptr, 10);
  const auto window = static_cast<uint32_t>(std::strtoul(argv[3], nullptr, 10));
  const auto lanes = static_cast<uint32_t>(std::strtoul(argv[4], nullptr, 10));
  for (int i = 5; i < argc; ++i) {
    LLMA_ASSIGN(std::vector<uint8_t> text, ReadFile(argv[i]));
    text.resize(std::min(text.size(), max_bytes));
    const std::string path = argv[i];
    std::printf("%s, %zu bytes\n", path.substr(path.rfind('/') + 1).c_str(),
                text.size());
    const auto pieces =
        Record(*model, *kernels, tokenizer->Encode(text), window, text);
    std::printf("  %8.0f the language model alone\n", Cost(pieces, nullptr));
    for (const Variant& variant : kVariants) {
      cm::JointPredictor joint({.set = variant.set,
                                .content_bytes = text.size(),
                                .num_lanes = lanes,
                                .ablated = variant.ablated});
      const std::clock_t start = std::clock();
      const double bytes = CostInLanes(pieces, lanes, joint);
      const double seconds =
          static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC;
      std::printf("  %8.0f %s, %.1f us a byte\n", bytes, variant.name,
                  seconds * 1e6 / static_cast<double>(text.size()));
      std::fflush(stdout);
    }
  }
  return OkStatus();
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fprintf(
        stderr,
        "usage: mixing_study MODEL.llmm MAX_BYTES WINDOW LANES TEXT...\n");
    return 1;
  }
  const llma::Status status = llma::Run(argc, argv);
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
