// SPDX-License-Identifier: Apache-2.0
// Model files name their pre-tokenizer only; this is the table of what the
// names mean.
#ifndef LLMA_TOKENIZER_SPLIT_PATTERNS_H_
#define LLMA_TOKENIZER_SPLIT_PATTERNS_H_

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace llma {

inline constexpr size_t kMaxSplitStages = 5;

// The name of SentencePiece's BPE, which merges characters over any distance
// (tokenizer/sentencepiece.h); it has no stages.
inline constexpr std::string_view kSentencePiece = "sentencepiece";

// How text is cut before byte-pair merging. Matches of the first pattern and
// the text between them are pieces; each is cut again by the next, if any.
struct SplitPattern {
  std::string_view name;
  const char* stages[kMaxSplitStages];  // of SplitRegex; null after the last
  // A piece that is a token as a whole is that token, whatever the merges say.
  bool ignore_merges;
};

// All, SentencePiece's too.
std::span<const SplitPattern> SplitPatterns();

// By the name that a model file has. Null if it is unknown.
const SplitPattern* FindSplitPattern(std::string_view name);

// By the name that a GGUF file has; several cut alike. The byte-level ones
// only.
const SplitPattern* FindGgufSplitPattern(std::string_view name);

// One that cuts nearly as a GGUF file's name says; null if none is known.
const SplitPattern* FindSimilarGgufSplitPattern(std::string_view name);

// A regular expression in the spelling of which all others are reduced that
// match the same: no possessive quantifiers, one way to write "'s" and so on.
std::string PlainRegex(std::string_view regex);

// The byte-level pattern that cuts by these regular expressions, however they
// are spelled, one after the other, and treats whole tokens so; null if there
// is none.
const SplitPattern* FindSplitPatternByStages(
    std::span<const std::string_view> stages, bool ignore_merges);

}  // namespace llma

#endif  // LLMA_TOKENIZER_SPLIT_PATTERNS_H_
