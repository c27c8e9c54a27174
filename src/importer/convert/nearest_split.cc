// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/nearest_split.h"

#include <algorithm>
#include <string>

#include "importer/convert/vocabulary.h"

namespace llma {
namespace {

// Fewer than one token in this many may be there by chance.
constexpr size_t kRare = 1000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsUpper(char c) { return c >= 'A' && c <= 'Z'; }
bool IsLetter(char c) { return IsLower(c) || IsUpper(c); }
// An apostrophe stands before letters in every way to cut: "'s".
bool IsSign(char c) {
  return c > ' ' && c < 0x7f && c != '\'' && !IsDigit(c) && !IsLetter(c);
}

bool IsNumber(std::string_view token) {
  return token.size() > 1 && std::ranges::all_of(token, IsDigit);
}

// ".com"
bool IsSignAndWord(std::string_view token) {
  return token.size() > 1 && IsSign(token[0]) &&
         std::ranges::all_of(token.substr(1), IsLetter);
}

// "camelCase"
bool HasCapitalWithin(std::string_view token) {
  for (size_t i = 1; i < token.size(); ++i) {
    if (IsLower(token[i - 1]) && IsUpper(token[i])) return true;
  }
  return false;
}

}  // namespace

std::string_view NearestSplitPattern(const SourceVocabulary& vocabulary) {
  size_t num_texts = 0, num_numbers = 0, num_signs = 0, num_capitals = 0;
  std::string token;
  for (size_t id = 0; id < vocabulary.tokens.size(); ++id) {
    if (vocabulary.kinds[id] != TokenKind::kText ||
        !DecodeByteLevel(vocabulary.tokens[id], token)) {
      continue;
    }
    ++num_texts;
    num_numbers += IsNumber(token) ? 1 : 0;
    num_signs += IsSignAndWord(token) ? 1 : 0;
    num_capitals += HasCapitalWithin(token) ? 1 : 0;
  }
  const auto has = [num_texts](size_t count) {
    return count > num_texts / kRare;
  };
  const bool has_numbers = has(num_numbers);
  if (!has(num_signs)) return has_numbers ? "gpt-2" : "smollm";
  if (has(num_capitals)) return has_numbers ? "dbrx" : "qwen2";
  return has_numbers ? "gpt-4o" : "tekken";
}

}  // namespace llma
