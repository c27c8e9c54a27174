// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/score_merges.h"

#include <algorithm>
#include <unordered_map>

#include "model/model_header.h"

namespace llma {
namespace {

constexpr std::string_view kBlank = "\u2581";

bool StartsCharacter(char c) {
  return (static_cast<uint8_t>(c) & 0xc0) != 0x80;
}

int HexDigit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool HasSeveralCharacters(std::string_view token) {
  return std::count_if(token.begin(), token.end(), StartsCharacter) > 1;
}

}  // namespace

bool DecodeSentencePiece(std::string_view token, TokenKind kind,
                         std::string& bytes) {
  bytes.clear();
  if (kind == TokenKind::kNone) return false;
  if (kind == TokenKind::kByte) {
    if (token.size() != 6 || !token.starts_with("<0x") || token[5] != '>') {
      return false;
    }
    const int high = HexDigit(token[3]);
    const int low = HexDigit(token[4]);
    if (high < 0 || low < 0) return false;
    bytes.push_back(static_cast<char>(high << 4 | low));
    return true;
  }
  while (!token.empty()) {
    const size_t blank = token.find(kBlank);
    bytes.append(token.substr(0, blank));
    if (blank == std::string_view::npos) break;
    bytes.push_back(' ');
    token.remove_prefix(blank + kBlank.size());
  }
  return !bytes.empty();
}

Result<std::vector<IdMerge>> MakeMergesFromScores(SourceVocabulary& source) {
  const auto& tokens = source.tokens;
  std::vector<uint32_t> by_size;
  for (uint32_t id = 0; id < tokens.size(); ++id) {
    if (source.kinds[id] == TokenKind::kText) by_size.push_back(id);
  }
  std::sort(by_size.begin(), by_size.end(), [&](uint32_t a, uint32_t b) {
    return std::pair(tokens[a].size(), a) < std::pair(tokens[b].size(), b);
  });
  std::unordered_map<std::string_view, uint32_t> usable;
  std::vector<IdMerge> merges;
  for (const uint32_t id : by_size) {
    const std::string_view token = tokens[id];
    if (token.size() > kMaxTokenBytes) {
      source.kinds[id] = TokenKind::kNone;
      continue;
    }
    bool is_made = !HasSeveralCharacters(token);
    for (size_t at = 1; at < token.size(); ++at) {
      if (!StartsCharacter(token[at])) continue;
      const auto left = usable.find(token.substr(0, at));
      if (left == usable.end()) continue;
      const auto right = usable.find(token.substr(at));
      if (right == usable.end()) continue;
      if (merges.size() == kMaxMerges) {
        return Error{ErrorCode::kLimit, "too many merges"};
      }
      merges.push_back({left->second, right->second, id});
      is_made = true;
    }
    if (is_made) {
      usable.emplace(token, id);  // keeps the lowest id
    } else {
      source.kinds[id] = TokenKind::kNone;
    }
  }
  std::stable_sort(
      merges.begin(), merges.end(), [&](const IdMerge& a, const IdMerge& b) {
        const float score_a = source.scores[a.result];
        const float score_b = source.scores[b.result];
        return score_a != score_b ? score_a > score_b : a.result < b.result;
      });
  return merges;
}

Status MakeScoresFromMerges(SourceVocabulary& source) {
  std::unordered_map<std::string_view, uint32_t> text_tokens;
  for (uint32_t id = 0; id < source.tokens.size(); ++id) {
    if (source.kinds[id] == TokenKind::kText) {
      text_tokens.emplace(source.tokens[id], id);
    }
  }
  // Priorities are integers, which floats hold exactly.
  static_assert(kMaxMerges < 1 << 24);
  if (source.merges.size() > kMaxMerges) {
    return Error{ErrorCode::kLimit, "too many merges"};
  }
  const auto worst = -static_cast<float>(kMaxMerges);
  source.scores.assign(source.tokens.size(), worst);
  size_t num_merges = 0;
  std::string merged;
  for (size_t i = 0; i < source.merges.size(); ++i) {
    const auto& [left, right] = source.merges[i];
    merged.assign(left).append(right);
    const auto it = text_tokens.find(merged);
    if (it == text_tokens.end() || text_tokens.count(left) == 0 ||
        text_tokens.count(right) == 0) {
      continue;
    }
    ++num_merges;
    float& score = source.scores[it->second];
    if (score == worst) score = -static_cast<float>(i);
  }
  source.merges.clear();
  SourceVocabulary copy = source;
  LLMA_ASSIGN(const auto all, MakeMergesFromScores(copy));
  if (all.size() != num_merges) {
    return Error{ErrorCode::kUnsupported,
                 "the merges are not those of SentencePiece: " +
                     std::to_string(num_merges) + " instead of " +
                     std::to_string(all.size())};
  }
  return OkStatus();
}

}  // namespace llma
