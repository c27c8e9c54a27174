// SPDX-License-Identifier: Apache-2.0
#include "importer/gguf_tokens.h"

#include <cmath>
#include <string>

#include "importer/vocabulary.h"
#include "tokenizer/split_patterns.h"

namespace llma {
namespace {

// Values of tokenizer.ggml.token_type.
constexpr uint32_t kNormal = 1;
constexpr uint32_t kUserDefined = 4;
constexpr uint32_t kByte = 6;

TokenKind KindOfType(uint32_t type, bool has_characters) {
  if (type == kNormal) return TokenKind::kText;
  if (has_characters && type == kUserDefined) return TokenKind::kWhole;
  if (has_characters && type == kByte) return TokenKind::kByte;
  return TokenKind::kNone;
}

Status ReadMerges(const GgufReader& gguf, SourceVocabulary& v) {
  LLMA_ASSIGN(const auto merges, gguf.GetStrings("tokenizer.ggml.merges"));
  for (const std::string_view merge : merges) {
    LLMA_ASSIGN(const TokenPair pair, SplitMerge(merge));
    v.merges.push_back(pair);
  }
  return OkStatus();
}

Status ReadScores(const GgufReader& gguf, SourceVocabulary& v) {
  constexpr std::string_view kKey = "tokenizer.ggml.scores";
  LLMA_ASSIGN(v.scores, gguf.GetF32s(kKey));
  bool are_good = v.scores.size() == v.tokens.size();
  for (const float score : v.scores) are_good &= std::isfinite(score);
  if (!are_good) {
    return Error{ErrorCode::kCorrupt, "metadata " + std::string(kKey) +
                                          " is not a finite number a token"};
  }
  return OkStatus();
}

// Its name in our table.
Result<std::string_view> ReadSplitPattern(const GgufReader& gguf) {
  LLMA_ASSIGN(const auto name, gguf.GetString("tokenizer.ggml.pre"));
  if (const SplitPattern* found = FindGgufSplitPattern(name)) {
    return found->name;
  }
  std::string known;
  for (const SplitPattern& pattern : SplitPatterns()) {
    if (pattern.name == kSentencePiece) continue;
    known += (known.empty() ? "" : ", ") + std::string(pattern.name);
  }
  return Error{ErrorCode::kUnsupported,
               "metadata tokenizer.ggml.pre is " + std::string(name) +
                   " (only " + known + " and what cuts alike can be read)"};
}

}  // namespace

Result<SourceVocabulary> ReadGgufTokens(const GgufReader& gguf) {
  LLMA_ASSIGN(const auto model, gguf.GetString("tokenizer.ggml.model"));
  const bool has_characters = model == "llama";
  if (!has_characters && model != "gpt2") {
    return Error{ErrorCode::kUnsupported,
                 "tokenizer " + std::string(model) +
                     " (only gpt2, byte-level BPE, and llama, SentencePiece's "
                     "BPE, can be read)"};
  }
  SourceVocabulary v;
  LLMA_ASSIGN(v.tokens, gguf.GetStrings("tokenizer.ggml.tokens"));
  LLMA_ASSIGN(const auto types, gguf.GetU32s("tokenizer.ggml.token_type"));
  for (const uint32_t type : types) {
    v.kinds.push_back(KindOfType(type, has_characters));
  }
  if (has_characters) {
    LLMA_TRY(ReadScores(gguf, v));
    v.pre_tokenizer = kSentencePiece;
  } else {
    LLMA_TRY(ReadMerges(gguf, v));
    LLMA_ASSIGN(v.pre_tokenizer, ReadSplitPattern(gguf));
  }
  constexpr std::string_view kBeginKey = "tokenizer.ggml.bos_token_id";
  constexpr std::string_view kEndKey = "tokenizer.ggml.eos_token_id";
  if (gguf.Has(kBeginKey)) {
    LLMA_ASSIGN(v.begin_id, gguf.GetU32(kBeginKey));
  }
  if (gguf.Has(kEndKey)) {
    LLMA_ASSIGN(v.end_id, gguf.GetU32(kEndKey));
  }
  return v;
}

}  // namespace llma
