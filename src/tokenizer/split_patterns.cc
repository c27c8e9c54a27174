// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/split_patterns.h"

#include <algorithm>

namespace llma {
namespace {

#define LLMA_GPT2_PATTERN                                             \
  "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+" \
  "|\\s+(?!\\S)|\\s+"

// The two differ in how many digits stay together.
#define LLMA_CL100K_PATTERN(digits)                                    \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" digits \
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

// An optional sign before letters, upper case ones first.
#define LLMA_TEKKEN_UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LLMA_TEKKEN_LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define LLMA_TEKKEN_PATTERN                                          \
  "[^\\r\\n\\p{L}\\p{N}]?" LLMA_TEKKEN_UPPER "*" LLMA_TEKKEN_LOWER   \
  "+|[^\\r\\n\\p{L}\\p{N}]?" LLMA_TEKKEN_UPPER "+" LLMA_TEKKEN_LOWER \
  "*|\\p{N}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+"

// Of those that cut alike, the first is what a tokenizer.json is taken for.
constexpr SplitPattern kPatterns[] = {
    {"gpt-2", {LLMA_GPT2_PATTERN}, false},
    {"smollm", {"\\p{N}", LLMA_GPT2_PATTERN}, false},
    {"starcoder", {"\\p{N}", LLMA_GPT2_PATTERN}, false},
    {"llama-bpe", {LLMA_CL100K_PATTERN("\\p{N}{1,3}")}, true},
    {"dbrx", {LLMA_CL100K_PATTERN("\\p{N}{1,3}")}, false},
    {"qwen2", {LLMA_CL100K_PATTERN("\\p{N}")}, false},
    {"deepseek-r1-qwen", {LLMA_CL100K_PATTERN("\\p{N}")}, false},
    {"tekken", {LLMA_TEKKEN_PATTERN}, true},
    {kSentencePiece, {}, false},
};

}  // namespace

const SplitPattern* FindSplitPattern(std::string_view name) {
  for (const SplitPattern& pattern : kPatterns) {
    if (pattern.name == name) return &pattern;
  }
  return nullptr;
}

const SplitPattern* FindSplitPatternByStages(
    std::span<const std::string_view> stages, bool ignore_merges) {
  for (const SplitPattern& pattern : kPatterns) {
    const auto* end = std::find(std::begin(pattern.stages),
                                std::end(pattern.stages), nullptr);
    if (pattern.name != kSentencePiece &&
        pattern.ignore_merges == ignore_merges &&
        std::equal(stages.begin(), stages.end(), std::begin(pattern.stages),
                   end)) {
      return &pattern;
    }
  }
  return nullptr;
}

}  // namespace llma
