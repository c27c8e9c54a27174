// SPDX-License-Identifier: Apache-2.0
// Prints how a model's tokenizer cuts a file, one number a token: its length,
// or 0 for a byte that no token spells.
//
//   dump_tokens MODEL.llmm TEXT
//   dump_tokens --time MODEL.llmm TEXT    speed instead
//   dump_tokens --split PATTERN TEXT      lengths of what is merged within
#include <chrono>
#include <cstdio>
#include <cstring>
#include <vector>

#include "model/model.h"
#include "platform/descriptors.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/tokenizer.h"

namespace {

template <class T>
bool Good(const llma::Result<T>& result) {
  if (!result) std::fprintf(stderr, "%s\n", result.error().what.c_str());
  return result.has_value();
}

double Seconds() {
  return std::chrono::duration<double>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

int Split(const char* name, const char* path) {
  const llma::SplitPattern* pattern = llma::FindSplitPattern(name);
  const auto text = llma::ReadFile(path);
  if (pattern == nullptr || !Good(text)) return 1;
  const auto splitter = llma::PreTokenizer::Create(*pattern);
  if (!Good(splitter)) return 1;
  for (const uint32_t size : splitter->Split(*text)) std::printf("%u\n", size);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc == 4 && std::strcmp(argv[1], "--split") == 0) {
    return Split(argv[2], argv[3]);
  }
  const bool time = argc > 1 && std::strcmp(argv[1], "--time") == 0;
  if (argc != (time ? 4 : 3)) {
    std::fprintf(stderr, "usage: dump_tokens [--time] MODEL.llmm TEXT\n");
    return 2;
  }
  const auto model = llma::Model::Open(argv[argc - 2]);
  const auto text = llma::ReadFile(argv[argc - 1]);
  if (!Good(model) || !Good(text)) return 1;
  const double start = Seconds();
  const auto tokenizer =
      llma::Tokenizer::Create((*model)->tokens(), (*model)->tokenizer());
  if (!Good(tokenizer)) return 1;
  const double created = Seconds();
  const std::vector<llma::TextPiece> pieces = (*tokenizer)->Encode(*text);
  const double encoded = Seconds();
  if (time) {
    std::printf("create %.1f ms, encode %.2f MB/s, %zu tokens\n",
                (created - start) * 1e3,
                static_cast<double>(text->size()) / (encoded - created) / 1e6,
                pieces.size());
    return 0;
  }
  for (const llma::TextPiece& piece : pieces) {
    const bool escaped = piece.token == llma::TextPiece::kEscape;
    std::printf("%u\n", escaped ? 0 : piece.size_bytes);
  }
  return 0;
}
