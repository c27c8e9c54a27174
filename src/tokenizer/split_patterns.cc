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

// An optional sign before letters, upper case ones first, and `suffix` after
// them.
#define LLMA_UPPER "[\\p{Lu}\\p{Lt}\\p{Lm}\\p{Lo}\\p{M}]"
#define LLMA_LOWER "[\\p{Ll}\\p{Lm}\\p{Lo}\\p{M}]"
#define LLMA_CAPITALS_PATTERN(suffix, digits)                               \
  "[^\\r\\n\\p{L}\\p{N}]?" LLMA_UPPER "*" LLMA_LOWER "+" suffix             \
  "|[^\\r\\n\\p{L}\\p{N}]?" LLMA_UPPER "+" LLMA_LOWER "*" suffix "|" digits \
  "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n/]*|\\s*[\\r\\n]+"                          \
  "|\\s+(?!\\S)|\\s+"

// These have the characters of a new line themselves where others have escapes,
// which matters for what a tokenizer.json is compared with.
#define LLMA_SEED_CODER_PATTERN                                        \
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1}" \
  "| ?[^\\s\\p{L}\\p{N}\r\n]+|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"
#define LLMA_DEEPSEEK_V3_PATTERN                                        \
  "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+"               \
  "|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*" \
  "|\\s*[\r\n]+|\\s+(?!\\S)|\\s+"

// Of those that cut alike, one.
constexpr SplitPattern kPatterns[] = {
    {"gpt-2", {LLMA_GPT2_PATTERN}, false},
    {"smollm", {"\\p{N}", LLMA_GPT2_PATTERN}, false},
    {"llama-bpe", {LLMA_CL100K_PATTERN("\\p{N}{1,3}")}, true},
    {"qwen2", {LLMA_CL100K_PATTERN("\\p{N}")}, false},
    {"tekken", {LLMA_CAPITALS_PATTERN("", "\\p{N}")}, true},
    {"dbrx", {LLMA_CL100K_PATTERN("\\p{N}{1,3}")}, false},
    {"deepseek-coder",
     {"[\r\n]", "\\s?\\p{L}+", "\\s?\\p{P}+",
      "[\u4e00-\u9fa5\u0800-\u4e00\uac00-\ud7ff]+", "\\p{N}"},
     false},
    {"deepseek-v3",
     {"\\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
      LLMA_DEEPSEEK_V3_PATTERN},
     false},
    {"gpt-4o",
     {LLMA_CAPITALS_PATTERN("(?i:'s|'t|'re|'ve|'m|'ll|'d)?", "\\p{N}{1,3}")},
     false},
    {"seed-coder", {LLMA_SEED_CODER_PATTERN}, false},
    {"qwen35",
     {"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?[\\p{L}\\p{M}]+"
      "|\\p{N}| ?[^\\s\\p{L}\\p{M}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+"
      "|\\s+(?!\\S)|\\s+"},
     false},
    {"minicpm5", {"\\p{N}{1,3}", LLMA_CL100K_PATTERN("\\p{N}+")}, true},
    // Nothing is cut but what is too long.
    {"unsplit", {}, false},
    {kSentencePiece, {}, false},
};

// What GGUF files call those that cut alike.
struct OtherName {
  std::string_view name, pattern;
};
constexpr OtherName kOtherNames[] = {
    {"a.x-4.0", "gpt-2"},
    {"exaone4", "gpt-2"},
    {"gigachat", "gpt-2"},
    {"granite-docling", "gpt-2"},
    {"jais", "gpt-2"},
    {"jina-de", "gpt-2"},
    {"jina-es", "gpt-2"},
    {"jina-v1-en", "gpt-2"},
    {"jina-v2-code", "gpt-2"},
    {"jina-v2-de", "gpt-2"},
    {"jina-v2-es", "gpt-2"},
    {"mellum", "gpt-2"},
    {"modern-bert", "gpt-2"},
    {"mpt", "gpt-2"},
    {"olmo", "gpt-2"},
    {"phi-2", "gpt-2"},
    {"roberta-bpe", "gpt-2"},
    {"trillion", "gpt-2"},
    {"codeshell", "smollm"},
    {"command-r", "smollm"},
    {"exaone", "smollm"},
    {"mellum2", "smollm"},
    {"minerva-7b", "smollm"},
    {"refact", "smollm"},
    {"starcoder", "smollm"},
    {"falcon-h1", "llama-bpe"},
    {"falcon3", "llama-bpe"},
    {"jina-v5-nano", "llama-bpe"},
    {"lfm2", "llama-bpe"},
    {"llama-v3", "llama-bpe"},
    {"llama3", "llama-bpe"},
    {"midm-2.0", "llama-bpe"},
    {"pixtral", "llama-bpe"},
    {"deepseek-r1-qwen", "qwen2"},
    {"f2llmv2", "qwen2"},
    {"grok-2", "qwen2"},
    {"hunyuan", "qwen2"},
    {"kormo", "qwen2"},
    {"megrez", "qwen2"},
    {"solar-open", "qwen2"},
    {"stablelm2", "qwen2"},
    {"chatglm-bpe", "dbrx"},
    {"glm4", "dbrx"},
    {"smaug-bpe", "dbrx"},
    {"hunyuan-dense", "deepseek-v3"},
    {"hy-v4", "deepseek-v3"},
    {"joyai-llm", "deepseek-v3"},
    {"kanana2", "gpt-4o"},
    {"llama4", "gpt-4o"},
    {"minimax-m2", "gpt-4o"},
    {"talkie", "gpt-4o"},
};

// And those that cut nearly alike.
constexpr OtherName kSimilarNames[] = {
    {"afmoe", "deepseek-v3"},
    {"bailingmoe", "qwen2"},
    {"bailingmoe2", "qwen2"},
    {"bloom", "gpt-2"},
    {"chameleon", "smollm"},
    {"cohere2moe", "gpt-4o"},
    {"deepseek-llm", "deepseek-coder"},
    {"exaone-moe", "qwen2"},
    {"falcon", "gpt-2"},
    {"gpt3-finnish", "gpt-2"},
    {"granite-embed-multi-97m", "gpt-4o"},
    {"jais-2", "dbrx"},
    {"kimi-k2", "gpt-4o"},
    {"laguna", "qwen2"},
    {"llada-moe", "qwen2"},
    {"poro-chat", "gpt-2"},
    {"tiny_aya", "gpt-4o"},
    {"ufakzeka", "qwen2"},
    {"viking", "smollm"},
    {"youtu", "gpt-4o"},
};

}  // namespace

std::span<const SplitPattern> SplitPatterns() { return kPatterns; }

const SplitPattern* FindSplitPattern(std::string_view name) {
  for (const SplitPattern& pattern : kPatterns) {
    if (pattern.name == name) return &pattern;
  }
  return nullptr;
}

const SplitPattern* FindGgufSplitPattern(std::string_view name) {
  for (const OtherName& other : kOtherNames) {
    if (other.name == name) return FindSplitPattern(other.pattern);
  }
  return name == kSentencePiece ? nullptr : FindSplitPattern(name);
}

const SplitPattern* FindSimilarGgufSplitPattern(std::string_view name) {
  for (const OtherName& other : kSimilarNames) {
    if (other.name == name) return FindSplitPattern(other.pattern);
  }
  return nullptr;
}

std::string PlainRegex(std::string_view regex) {
  constexpr std::string_view kSpellings[][2] = {
      {"'(?i:[sdmt]|ll|ve|re)", "(?i:'s|'t|'re|'ve|'m|'ll|'d)"},
      {"(?:'[sS]|'[tT]|'[rR][eE]|'[vV][eE]|'[mM]|'[lL][lL]|'[dD])",
       "(?i:'s|'t|'re|'ve|'m|'ll|'d)"},
      {"?+", "?"},
      {"++", "+"},
      {"*+", "*"},
      {"{1}", ""},
      {"\n", "\\n"},
      {"\r", "\\r"},
  };
  std::string plain(regex);
  for (const auto& [from, to] : kSpellings) {
    for (size_t at = plain.find(from); at != std::string::npos;
         at = plain.find(from, at + to.size())) {
      plain.replace(at, from.size(), to);
    }
  }
  return plain;
}

const SplitPattern* FindSplitPatternByStages(
    std::span<const std::string_view> stages, bool ignore_merges) {
  for (const SplitPattern& pattern : kPatterns) {
    const auto* end = std::find(std::begin(pattern.stages),
                                std::end(pattern.stages), nullptr);
    if (pattern.name != kSentencePiece &&
        pattern.ignore_merges == ignore_merges &&
        std::equal(stages.begin(), stages.end(), std::begin(pattern.stages),
                   end, [](std::string_view a, std::string_view b) {
                     return PlainRegex(a) == PlainRegex(b);
                   })) {
      return &pattern;
    }
  }
  return nullptr;
}

}  // namespace llma
