// SPDX-License-Identifier: Apache-2.0
#include "importer/gguf/gguf_tokens.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <string>

#include "importer/convert/nearest_split.h"
#include "importer/convert/score_merges.h"
#include "importer/convert/vocabulary.h"
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

// Of those after the last token nothing is known; they are left out.
Status ReadScores(const GgufReader& gguf, SourceVocabulary& v) {
  constexpr std::string_view kKey = "tokenizer.ggml.scores";
  LLMA_ASSIGN(v.scores, gguf.GetF32s(kKey));
  bool are_good = v.scores.size() >= v.tokens.size();
  for (const float score : v.scores) are_good &= std::isfinite(score);
  if (!are_good) {
    return Error{ErrorCode::kCorrupt, "metadata " + std::string(kKey) +
                                          " is not a finite number a token"};
  }
  v.scores.resize(v.tokens.size());
  return OkStatus();
}

// The id that a key names, if it is one of a token.
std::optional<uint32_t> FindId(const GgufReader& gguf, const char* name,
                               const SourceVocabulary& v) {
  const auto id = gguf.GetU32("tokenizer.ggml." + std::string(name));
  if (!id || *id >= v.tokens.size()) return {};
  return *id;
}

// Without types all tokens are text, but those that are named as something else
// or written like it.
void GuessKinds(const GgufReader& gguf, bool has_characters,
                SourceVocabulary& v) {
  std::string byte;
  for (const std::string_view token : v.tokens) {
    const bool is_byte =
        has_characters && DecodeSentencePiece(token, TokenKind::kByte, byte);
    const bool is_control = token.starts_with("<|") && token.ends_with("|>");
    v.kinds.push_back(is_byte      ? TokenKind::kByte
                      : is_control ? TokenKind::kNone
                                   : TokenKind::kText);
  }
  for (const char* name :
       {"bos_token_id", "eos_token_id", "unknown_token_id", "padding_token_id",
        "eot_token_id", "seperator_token_id"}) {
    if (const auto id = FindId(gguf, name, v)) v.kinds[*id] = TokenKind::kNone;
  }
}

Status ReadKinds(const GgufReader& gguf, bool has_characters,
                 SourceVocabulary& v, std::vector<std::string>& notes) {
  constexpr std::string_view kKey = "tokenizer.ggml.token_type";
  if (!gguf.Has(kKey)) {
    notes.push_back("metadata " + std::string(kKey) +
                    " is missing: tokens count as text");
    GuessKinds(gguf, has_characters, v);
    return OkStatus();
  }
  LLMA_ASSIGN(const auto types, gguf.GetU32s(kKey));
  for (size_t id = 0; id < std::min(types.size(), v.tokens.size()); ++id) {
    v.kinds.push_back(KindOfType(types[id], has_characters));
  }
  return OkStatus();
}

constexpr std::string_view kPreKey = "tokenizer.ggml.pre";

// The name in our table of how a text is cut.
Result<std::string_view> ReadSplitPattern(const GgufReader& gguf,
                                          const SourceVocabulary& v,
                                          std::vector<std::string>& notes) {
  std::string_view name;
  if (gguf.Has(kPreKey)) {
    LLMA_ASSIGN(name, gguf.GetString(kPreKey));
  }
  if (const SplitPattern* found = FindGgufSplitPattern(name)) {
    return found->name;
  }
  const SplitPattern* similar = FindSimilarGgufSplitPattern(name);
  if (similar != nullptr) {
    notes.push_back("metadata " + std::string(kPreKey) + " is " +
                    std::string(name) + ": a text is cut as for " +
                    std::string(similar->name) +
                    ", which is nearly the same; files may be a little larger");
    return similar->name;
  }
  const std::string_view nearest = NearestSplitPattern(v);
  notes.push_back(
      "metadata " + std::string(kPreKey) + " is " +
      (name.empty() ? "missing" : std::string(name) + ", which is not known") +
      ": a text is cut as for " + std::string(nearest) +
      ", by the looks of the tokens; files may be larger than with the right "
      "way");
  return nearest;
}

// Whether a vocabulary with merges is of characters, with U+2581 for a blank.
bool HasMergesOfCharacters(const GgufReader& gguf, std::string_view model) {
  if (model == "gemma4") return true;
  const auto pre = gguf.Has(kPreKey) ? gguf.GetString(kPreKey)
                                     : Result<std::string_view>("");
  return pre && (*pre == "gemma4" || *pre == "granite-embed-multi-311m" ||
                 *pre == "sarvam-moe");
}

}  // namespace

Result<SourceVocabulary> ReadGgufTokens(const GgufReader& gguf,
                                        std::vector<std::string>& notes) {
  LLMA_ASSIGN(const auto model, gguf.GetString("tokenizer.ggml.model"));
  const bool has_scores = model == "llama";
  if (!has_scores && model != "gpt2" && model != "gemma4") {
    return Error{ErrorCode::kUnsupported,
                 "tokenizer " + std::string(model) +
                     " (only gpt2, byte-level BPE, and llama, SentencePiece's "
                     "BPE, can be read)"};
  }
  const bool has_characters = has_scores || HasMergesOfCharacters(gguf, model);
  SourceVocabulary v;
  LLMA_ASSIGN(v.tokens, gguf.GetStrings("tokenizer.ggml.tokens"));
  LLMA_TRY(ReadKinds(gguf, has_characters, v, notes));
  if (has_characters) v.pre_tokenizer = kSentencePiece;
  if (has_scores) {
    LLMA_TRY(ReadScores(gguf, v));
  } else {
    LLMA_TRY(ReadMerges(gguf, v));
  }
  if (has_characters && !has_scores) {
    LLMA_TRY(MakeScoresFromMerges(v));
  }
  if (!has_characters) {
    LLMA_ASSIGN(v.pre_tokenizer, ReadSplitPattern(gguf, v, notes));
  }
  v.begin_id = FindId(gguf, "bos_token_id", v);
  v.end_id = FindId(gguf, "eos_token_id", v);
  return v;
}

}  // namespace llma
