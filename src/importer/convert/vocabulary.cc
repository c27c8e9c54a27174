// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/vocabulary.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "importer/convert/score_merges.h"
#include "model/model_header.h"
#include "tokenizer/split_patterns.h"

namespace llma {
namespace {

constexpr std::string_view kBeginOfStream = "<bos>";
constexpr std::string_view kEndOfText = "<|endoftext|>";
constexpr uint32_t kNoToken = ~uint32_t{0};

// GPT-2 writes a printable byte as the character of the same number and the
// other 68 bytes as the characters from 256 on.
constexpr uint32_t kNumByteChars = 256 + 68;

constexpr bool IsPrintable(uint32_t byte) {
  return (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xac) ||
         byte >= 0xae;
}

constexpr std::array<int16_t, kNumByteChars> MakeByteOfChar() {
  std::array<int16_t, kNumByteChars> byte_of_char{};
  for (int16_t& byte : byte_of_char) byte = -1;
  uint32_t next = 256;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    byte_of_char[IsPrintable(byte) ? byte : next++] =
        static_cast<int16_t>(byte);
  }
  return byte_of_char;
}
constexpr auto kByteOfChar = MakeByteOfChar();

bool HasCharacters(const SourceVocabulary& source) {
  return source.pre_tokenizer == kSentencePiece;
}

// The bytes that a token spells; false if it spells nothing.
bool Spell(const SourceVocabulary& source, uint32_t id, std::string& bytes) {
  const TokenKind kind = source.kinds[id];
  const bool is_spelled =
      HasCharacters(source)
          ? DecodeSentencePiece(source.tokens[id], kind, bytes)
          : kind == TokenKind::kText &&
                DecodeByteLevel(source.tokens[id], bytes);
  return is_spelled && !bytes.empty() && bytes.size() <= kMaxTokenBytes;
}

using IdOfToken = std::unordered_map<std::string_view, uint32_t>;

// How a source may write a new line.
std::vector<std::string_view> NewLines(const SourceVocabulary& source) {
  if (HasCharacters(source)) return {"\n", "<0x0A>"};
  return {"\u010a"};  // as GPT-2 does
}

// The id of the token that is fed first.
Result<uint32_t> FindStart(const SourceVocabulary& source,
                           const IdOfToken& id_of_token,
                           std::string_view start_token) {
  if (!start_token.empty()) {
    const auto it = id_of_token.find(start_token);
    if (it == id_of_token.end()) {
      return Error{ErrorCode::kUsage,
                   "no such start token: " + std::string(start_token)};
    }
    return it->second;
  }
  // Gemma 3 270M needs 34 to 60 % more bits for a stream's first 256 tokens
  // without it, by what stands there instead (docs/NUMERICS.md, section 8).
  if (source.starts_with_begin) {
    if (source.begin_id) return *source.begin_id;
    const auto it = id_of_token.find(kBeginOfStream);
    if (it != id_of_token.end()) return it->second;
  }
  // A new line is what most often comes before a text: with it a stream's first
  // 256 tokens cost 0.6 % less than with the models' own start tokens
  // (docs/NUMERICS.md, section 8).
  for (const std::string_view spelling : NewLines(source)) {
    const auto new_line = id_of_token.find(spelling);
    if (new_line != id_of_token.end()) return new_line->second;
  }
  if (source.begin_id) return *source.begin_id;
  const auto it = id_of_token.find(kEndOfText);
  if (it != id_of_token.end()) return it->second;
  if (source.end_id) return *source.end_id;
  return Error{ErrorCode::kUnsupported,
               "the vocabulary has no token to start with"};
}

// Sorts spellable tokens into rows; row_of_id gets kNoToken for all others.
void MakeRows(const SourceVocabulary& source, Vocabulary& vocabulary,
              std::vector<uint32_t>& row_of_id) {
  const auto& tokens = source.tokens;
  struct Spelling {
    std::string bytes;
    uint32_t id;
  };
  std::vector<Spelling> spellings;
  for (uint32_t id = 0; id < tokens.size(); ++id) {
    std::string bytes;
    if (Spell(source, id, bytes)) spellings.push_back({std::move(bytes), id});
  }
  // Stable, so of equal spellings the lowest id comes first and stays; one for
  // a byte only if there is no other, for it is used for other characters.
  const auto is_byte = [&source](const Spelling& s) {
    return source.kinds[s.id] == TokenKind::kByte;
  };
  std::stable_sort(spellings.begin(), spellings.end(),
                   [&](const Spelling& a, const Spelling& b) {
                     const int order = a.bytes.compare(b.bytes);
                     return order != 0 ? order < 0 : is_byte(a) < is_byte(b);
                   });
  row_of_id.assign(tokens.size(), kNoToken);
  vocabulary.offsets.push_back(0);
  const Spelling* previous = nullptr;
  for (const Spelling& s : spellings) {
    if (previous == nullptr || previous->bytes != s.bytes) {
      vocabulary.ids.push_back(s.id);
      const Bytes bytes = AsBytes(s.bytes);
      vocabulary.bytes.insert(vocabulary.bytes.end(), bytes.begin(),
                              bytes.end());
      vocabulary.offsets.push_back(
          static_cast<uint32_t>(vocabulary.bytes.size()));
    }
    row_of_id[s.id] = static_cast<uint32_t>(vocabulary.ids.size() - 1);
    previous = &s;
  }
  vocabulary.num_tokens = static_cast<uint32_t>(vocabulary.ids.size());
}

// Rows that can only be fed: the start token, and the end of a text, so that
// either can be chosen without another import format.
void AddInputRows(uint32_t start_id, const IdOfToken& id_of_token,
                  std::vector<uint32_t>& row_of_id, Vocabulary& vocabulary) {
  std::vector<uint32_t> input_ids = {start_id};
  const auto end_of_text = id_of_token.find(kEndOfText);
  if (end_of_text != id_of_token.end()) {
    input_ids.push_back(end_of_text->second);
  }
  std::sort(input_ids.begin(), input_ids.end());
  for (const uint32_t id : input_ids) {
    if (row_of_id[id] != kNoToken) continue;
    row_of_id[id] = static_cast<uint32_t>(vocabulary.ids.size());
    vocabulary.ids.push_back(id);
  }
  vocabulary.start_row = row_of_id[start_id];
}

Status ReadMerges(const SourceVocabulary& source, const IdOfToken& id_of_token,
                  const std::vector<uint32_t>& row_of_id,
                  Vocabulary& vocabulary) {
  if (source.merges.size() > kMaxMerges) {
    return Error{ErrorCode::kLimit, "too many merges"};
  }
  const auto find_row = [&](std::string_view token) {
    const auto it = id_of_token.find(token);
    return it == id_of_token.end() ? kNoToken : row_of_id[it->second];
  };
  std::string merged;
  for (const auto& [left, right] : source.merges) {
    merged.assign(left).append(right);
    // A merge of tokens that cannot be predicted never applies.
    const uint32_t left_row = find_row(left);
    const uint32_t right_row = find_row(right);
    if (left_row >= vocabulary.num_tokens ||
        right_row >= vocabulary.num_tokens ||
        find_row(merged) >= vocabulary.num_tokens) {
      continue;
    }
    vocabulary.merges.push_back(left_row);
    vocabulary.merges.push_back(right_row);
  }
  return OkStatus();
}

}  // namespace

bool DecodeByteLevel(std::string_view token, std::string& bytes) {
  bytes.clear();
  for (size_t i = 0; i < token.size(); ++i) {
    auto c = static_cast<uint32_t>(static_cast<uint8_t>(token[i]));
    if (c >= 0x80) {  // all characters of the map have at most two bytes
      if ((c & 0xe0) != 0xc0 || i + 1 == token.size()) return false;
      const auto next = static_cast<uint8_t>(token[++i]);
      if ((next & 0xc0) != 0x80) return false;
      c = (c & 0x1f) << 6 | (next & 0x3f);
      if (c < 0x80) return false;
    }
    if (c >= kNumByteChars || kByteOfChar[c] < 0) return false;
    bytes.push_back(static_cast<char>(kByteOfChar[c]));
  }
  return true;
}

Result<TokenPair> SplitMerge(std::string_view merge) {
  const size_t space = merge.find(' ', 1);
  if (space == std::string_view::npos) {
    return Error{ErrorCode::kCorrupt, "malformed merge: " + std::string(merge)};
  }
  return TokenPair{merge.substr(0, space), merge.substr(space + 1)};
}

Result<Vocabulary> ReadVocabulary(SourceVocabulary source,
                                  std::string_view start_token) {
  const auto& tokens = source.tokens;
  if (tokens.empty() || tokens.size() > kMaxVocabularyTokens ||
      source.kinds.size() != tokens.size() ||
      (!source.scores.empty() && source.scores.size() != tokens.size())) {
    return Error{ErrorCode::kUnsupported,
                 "bad number of tokens or token types"};
  }
  IdOfToken id_of_token;
  for (uint32_t id = 0; id < tokens.size(); ++id) {
    id_of_token.emplace(tokens[id], id);  // keeps the lowest id
  }
  LLMA_ASSIGN(const uint32_t start_id,
              FindStart(source, id_of_token, start_token));
  if (start_id >= tokens.size()) {
    return Error{ErrorCode::kCorrupt, "the start token does not exist"};
  }
  Vocabulary vocabulary;
  std::vector<IdMerge> merges;
  if (!source.scores.empty()) {
    LLMA_ASSIGN(merges, MakeMergesFromScores(source));
  }
  std::vector<uint32_t> row_of_id;
  MakeRows(source, vocabulary, row_of_id);
  if (vocabulary.num_tokens == 0) {
    return Error{ErrorCode::kUnsupported, "no token spells anything"};
  }
  AddInputRows(start_id, id_of_token, row_of_id, vocabulary);
  LLMA_TRY(ReadMerges(source, id_of_token, row_of_id, vocabulary));
  for (const auto& [left, right, result] : merges) {
    vocabulary.merges.push_back(row_of_id[left]);
    vocabulary.merges.push_back(row_of_id[right]);
  }
  return vocabulary;
}

}  // namespace llma
