// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/sentencepiece.h"

#include <algorithm>
#include <string>

#include "tokenizer/pre_tokenizer.h"

namespace llma {
namespace {

constexpr size_t kMaxCharacterBytes = 4;

// Of the character in front of a text; 1 if it is not UTF-8.
size_t CharacterSize(Bytes text) {
  const uint8_t lead = text[0];
  size_t size = 1;
  if (lead >= 0xc2 && lead < 0xe0) size = 2;
  if (lead >= 0xe0 && lead < 0xf0) size = 3;
  if (lead >= 0xf0 && lead < 0xf5) size = 4;
  if (size > text.size()) return 1;
  for (size_t i = 1; i < size; ++i) {
    if ((text[i] & 0xc0) != 0x80) return 1;
  }
  return size;
}

size_t PairIndex(uint8_t left, uint8_t right) {
  return static_cast<size_t>(left) << 8 | right;
}

}  // namespace

SentencePiece::SentencePiece(const TokenTable& tokens,
                             const SpellingTable& spellings,
                             std::span<const uint32_t> merges)
    : tokens_(tokens), spellings_(spellings) {
  std::vector<bool> is_merged(tokens.num_tokens());
  std::string joined;
  for (size_t i = 0; i + 1 < merges.size(); i += 2) {
    joined.assign(AsStringView(tokens.spelling(merges[i])));
    joined.append(AsStringView(tokens.spelling(merges[i + 1])));
    const uint32_t row = spellings.Find(AsBytes(joined));
    if (row != TextPiece::kEscape) is_merged[row] = true;
  }
  for (uint32_t row = 0; row < tokens.num_tokens(); ++row) {
    const Bytes spelling = tokens.spelling(row);
    for (size_t i = 1; i < spelling.size(); ++i) {
      stand_together_.set(PairIndex(spelling[i - 1], spelling[i]));
    }
    if (is_merged[row] || CharacterSize(spelling) == spelling.size()) continue;
    whole_rows_.push_back(row);
    ++whole_begin_[spelling[0] + 1];
  }
  for (size_t i = 1; i < whole_begin_.size(); ++i) {
    whole_begin_[i] += whole_begin_[i - 1];
  }
}

uint32_t SentencePiece::FindWhole(Bytes text) const {
  // The rows that share the first `size` bytes with the text.
  auto begin = whole_rows_.begin() + whole_begin_[text[0]];
  auto end = whole_rows_.begin() + whole_begin_[text[0] + 1];
  uint32_t found = TextPiece::kEscape;
  for (size_t size = 1; begin != end; ++size) {
    if (tokens_.spelling(*begin).size() == size) found = *begin++;
    if (size == text.size()) break;
    const uint8_t next = text[size];
    begin = std::partition_point(begin, end, [&](uint32_t row) {
      return tokens_.spelling(row)[size] < next;
    });
    end = std::partition_point(begin, end, [&](uint32_t row) {
      return tokens_.spelling(row)[size] == next;
    });
  }
  return found;
}

void SentencePiece::AddCharacter(Bytes character, BpeMerger& merger) const {
  const uint32_t row = spellings_.Find(character);
  if (row != TextPiece::kEscape || character.size() == 1) {
    merger.Add(row, static_cast<uint32_t>(character.size()));
    return;
  }
  for (size_t i = 0; i < character.size(); ++i) {
    merger.Add(spellings_.Find(character.subspan(i, 1)), 1);
  }
}

void SentencePiece::Encode(Bytes text, BpeMerger& merger,
                           std::vector<TextPiece>& out) const {
  size_t piece_bytes = 0;  // of what is added
  const auto end_piece = [&] {
    if (piece_bytes > 0) merger.EncodeAdded(out);
    piece_bytes = 0;
  };
  for (size_t pos = 0; pos < text.size();) {
    const Bytes rest = text.subspan(pos);
    const uint32_t whole = FindWhole(rest);
    if (whole != TextPiece::kEscape) {
      end_piece();
      const auto size = static_cast<uint32_t>(tokens_.spelling(whole).size());
      out.push_back({whole, size});
      pos += size;
      continue;
    }
    if (piece_bytes > 0 &&
        (!stand_together_[PairIndex(text[pos - 1], text[pos])] ||
         piece_bytes + kMaxCharacterBytes > kMaxPieceBytes)) {
      end_piece();
    }
    const size_t size = CharacterSize(rest);
    AddCharacter(rest.first(size), merger);
    piece_bytes += size;
    pos += size;
  }
  end_piece();
}

}  // namespace llma
