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

constexpr SplitPattern kPatterns[] = {
    {"gpt-2", {LLMA_GPT2_PATTERN, nullptr}, false},
    {"smollm", {"\\p{N}", LLMA_GPT2_PATTERN}, false},
    {"llama-bpe", {LLMA_CL100K_PATTERN("\\p{N}{1,3}"), nullptr}, true},
    {"qwen2", {LLMA_CL100K_PATTERN("\\p{N}"), nullptr}, false},
};

}  // namespace

const SplitPattern* FindSplitPattern(std::string_view name) {
  for (const SplitPattern& pattern : kPatterns) {
    if (pattern.name == name) return &pattern;
  }
  return nullptr;
}

const SplitPattern* FindSplitPatternByStages(
    std::span<const std::string_view> stages) {
  for (const SplitPattern& pattern : kPatterns) {
    const size_t num_stages = pattern.stages[1] == nullptr ? 1 : 2;
    if (std::equal(stages.begin(), stages.end(), pattern.stages,
                   pattern.stages + num_stages)) {
      return &pattern;
    }
  }
  return nullptr;
}

}  // namespace llma
