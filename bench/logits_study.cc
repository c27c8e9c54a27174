// SPDX-License-Identifier: Apache-2.0
// What files would take if a language model said what another program says:
// the rest of bench/learning_study.py.
//
//   logits_study MODEL.llmm              the spelling of each token, in hex
//   logits_study MODEL.llmm TEXT         the tokens of a text, as compressing
//                                        cuts it
//   logits_study MODEL.llmm TEXT LOGITS  reads a float32 for each token of the
//                                        model, for each token of the text;
//                                        prints bytes without a header: of the
//                                        language model alone, with the light
//                                        and with the full context models
#include <cstdio>
#include <string>

#include "platform/descriptors.h"
#include "recorded_text.h"

namespace llma {
namespace {

void PrintSpellings(const TokenTable& tokens) {
  for (uint32_t i = 0; i < tokens.num_tokens(); ++i) {
    for (const uint8_t byte : tokens.spelling(i)) std::printf("%02x", byte);
    std::printf("\n");
  }
}

double CostWith(std::span<const RecordedPiece> pieces, uint64_t content_bytes,
                cm::ModelSet set) {
  cm::JointPredictor joint({.set = set, .content_bytes = content_bytes});
  return CostInLanes(pieces, 1, joint);
}

Status PrintCosts(const Model& model, const KernelTable& kernels,
                  std::span<const TextPiece> pieces, Bytes text,
                  const std::string& path) {
  const uint32_t num_tokens = model.config().num_tokens;
  const TokenIndex index(model.tokens());
  TokenMasses masses(num_tokens);
  std::vector<float> logits(ForwardPass::LogitsStride(model.config()));
  std::FILE* const file = std::fopen(path.c_str(), "rb");
  if (file == nullptr) return Error{ErrorCode::kIo, path + " is not there"};
  std::vector<RecordedPiece> recorded;
  Bytes rest = text;
  bool is_whole = true;
  for (const TextPiece& piece : pieces) {
    recorded.push_back({rest.first(piece.size_bytes), {}});
    rest = rest.subspan(piece.size_bytes);
    if (piece.token == TextPiece::kEscape) continue;
    is_whole = is_whole && std::fread(logits.data(), sizeof(float), num_tokens,
                                      file) == num_tokens;
    masses.Set(kernels, logits.data());
    RecordWalk(index, masses, piece.token, recorded.back().decisions);
  }
  std::fclose(file);
  if (!is_whole) return Error{ErrorCode::kIo, path + " ends too early"};
  std::printf("%.0f %.0f %.0f\n", Cost(recorded, nullptr),
              CostWith(recorded, text.size(), cm::ModelSet::kLight),
              CostWith(recorded, text.size(), cm::ModelSet::kFull));
  return OkStatus();
}

Status Run(int argc, char** argv) {
  LLMA_ASSIGN(const auto model, Model::Open(argv[1]));
  if (argc == 2) {
    PrintSpellings(model->tokens());
    return OkStatus();
  }
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model->tokens(), model->tokenizer()));
  LLMA_ASSIGN(const std::vector<uint8_t> text, ReadFile(argv[2]));
  const std::vector<TextPiece> pieces = tokenizer->Encode(text);
  if (argc == 4) return PrintCosts(*model, *kernels, pieces, text, argv[3]);
  for (const TextPiece& piece : pieces) {
    if (piece.token != TextPiece::kEscape) std::printf("%u\n", piece.token);
  }
  return OkStatus();
}

}  // namespace
}  // namespace llma

int main(int argc, char** argv) {
  if (argc < 2 || argc > 4) {
    std::fprintf(stderr, "usage: logits_study MODEL.llmm [TEXT [LOGITS]]\n");
    return 1;
  }
  const llma::Status status = llma::Run(argc, argv);
  if (!status) std::fprintf(stderr, "%s\n", status.error().what.c_str());
  return status ? 0 : 1;
}
