// SPDX-License-Identifier: Apache-2.0
// What mixing context models with a language model brings, and each part of
// it: bytes that the decisions of a text cost, in one lane, without a header.
//
//   mixing_study MODEL.llmm MAX_BYTES WINDOW TEXT...
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>

#include "base/file_io.h"
#include "cm/joint_predictor.h"
#include "recorded_text.h"

namespace llma {
namespace {

// Bytes that the pieces cost; joint: null for the language model alone.
double Cost(std::span<const RecordedPiece> pieces, cm::JointPredictor* joint) {
  double bits = 0;
  for (const RecordedPiece& piece : pieces) {
    const bool is_last = &piece == &pieces.back();
    auto alone = piece.decisions.begin();
    for (size_t i = 0; i < piece.bytes.size(); ++i) {
      if (joint != nullptr) joint->BeginByte(0);
      for (int k = 7; k >= 0; --k) {
        const bool bit = (piece.bytes[i] >> k & 1) != 0;
        Probability p =
            piece.decisions.empty() ? cm::JointPredictor::kNoOpinion : *alone++;
        if (joint != nullptr) p = joint->PredictBit(p);
        bits += CostInBits(p, bit);
        if (joint != nullptr) joint->UpdateBit(bit ? 1 : 0);
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
  for (int i = 4; i < argc; ++i) {
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
                                .ablated = variant.ablated});
      joint.AddLane(0);
      const std::clock_t start = std::clock();
      const double bytes = Cost(pieces, &joint);
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
  if (argc < 5) {
    std::fprintf(stderr,
                 "usage: mixing_study MODEL.llmm MAX_BYTES WINDOW TEXT...\n");
    return 1;
  }
  const llma::Status status = llma::Run(argc, argv);
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
