// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/split_patterns.h"

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

}  // namespace llma
