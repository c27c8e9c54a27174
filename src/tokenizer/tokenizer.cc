// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/tokenizer.h"

#include <array>
#include <optional>
#include <string>

#include "tokenizer/bpe.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/sentencepiece.h"
#include "tokenizer/split_patterns.h"

namespace llma {

struct Tokenizer::Parts {
  SpellingTable spellings;
  PreTokenizer pre_tokenizer;
  MergeTable merges;
  bool ignore_merges;
  std::array<uint32_t, 256> token_of_byte;
  std::optional<SentencePiece> sentence_piece;  // if it is one
};

Tokenizer::Tokenizer(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Tokenizer::~Tokenizer() = default;

Result<std::unique_ptr<Tokenizer>> Tokenizer::Create(
    const TokenTable& tokens, const TokenizerSpec& spec) {
  const SplitPattern* pattern = FindSplitPattern(spec.pre_tokenizer);
  if (pattern == nullptr) {
    return Error{ErrorCode::kUnsupported,
                 "unknown pre-tokenizer: " + std::string(spec.pre_tokenizer)};
  }
  const bool is_sentence_piece = pattern->name == kSentencePiece;
  LLMA_ASSIGN(PreTokenizer pre_tokenizer, PreTokenizer::Create(*pattern));
  SpellingTable spellings(tokens);
  LLMA_ASSIGN(
      MergeTable merges,
      MergeTable::Create(tokens, spellings, spec.merges, is_sentence_piece));
  std::array<uint32_t, 256> token_of_byte;
  for (uint32_t i = 0; i < token_of_byte.size(); ++i) {
    const auto byte = static_cast<uint8_t>(i);
    token_of_byte[i] = spellings.Find(Bytes(&byte, 1));
  }
  auto parts = std::make_unique<Parts>(
      Parts{std::move(spellings), std::move(pre_tokenizer), std::move(merges),
            pattern->ignore_merges, token_of_byte, std::nullopt});
  if (is_sentence_piece) {
    parts->sentence_piece.emplace(tokens, parts->spellings, spec.merges);
  }
  return std::unique_ptr<Tokenizer>(new Tokenizer(std::move(parts)));
}

std::vector<TextPiece> Tokenizer::Encode(Bytes text) const {
  std::vector<TextPiece> out;
  BpeMerger merger(parts_->merges, parts_->token_of_byte);
  if (parts_->sentence_piece) {
    parts_->sentence_piece->Encode(text, merger, out);
    return out;
  }
  size_t pos = 0;
  for (const uint32_t size : parts_->pre_tokenizer.Split(text)) {
    const Bytes piece = text.subspan(pos, size);
    pos += size;
    if (parts_->ignore_merges) {
      const uint32_t row = parts_->spellings.Find(piece);
      if (row != TextPiece::kEscape) {
        out.push_back({row, size});
        continue;
      }
    }
    merger.Encode(piece, out);
  }
  return out;
}

}  // namespace llma
