// SPDX-License-Identifier: Apache-2.0
#include "cli/inspect/inspection.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace llma::cli {
namespace {

// The length of the UTF-8 character that starts here; 0: none does; more than
// `left`: it may go on after the end.
size_t CharacterBytes(std::string_view text) {
  const auto byte = [&](size_t i) { return static_cast<uint8_t>(text[i]); };
  const uint8_t first = byte(0);
  if (first < 0x80) return 1;
  const size_t size = first >= 0xc2 && first < 0xe0   ? 2
                      : first >= 0xe0 && first < 0xf0 ? 3
                      : first >= 0xf0 && first < 0xf5 ? 4
                                                      : 0;
  for (size_t i = 1; i < size && i < text.size(); ++i) {
    if ((byte(i) & 0xc0) != 0x80) return 0;
  }
  // Not the shortest form, a surrogate, or beyond U+10FFFF.
  if (size > 2 && text.size() > 1) {
    if ((first == 0xe0 && byte(1) < 0xa0) ||
        (first == 0xed && byte(1) >= 0xa0) ||
        (first == 0xf0 && byte(1) < 0x90) ||
        (first == 0xf4 && byte(1) >= 0x90)) {
      return 0;
    }
  }
  return size;
}

void AppendEscaped(std::string& out, char c) {
  std::array<char, 8> escaped;
  std::snprintf(escaped.data(), escaped.size(), "\\x%02X",
                static_cast<unsigned>(static_cast<uint8_t>(c)));
  out += escaped.data();
}

// Moves whole characters from `rest` to `out`; what may go on stays, unless
// `is_last`.
void TakeCharacters(std::string& rest, bool is_last, std::string& out) {
  size_t done = 0;
  while (done < rest.size()) {
    const std::string_view left = std::string_view(rest).substr(done);
    const size_t size = CharacterBytes(left);
    if (size > left.size() && !is_last) break;
    const auto first = static_cast<uint8_t>(left[0]);
    const bool is_control = size == 1 && (first < 0x20 || first == 0x7f) &&
                            first != '\n' && first != '\t' && first != '\r';
    if (size == 0 || size > left.size() || is_control) {
      AppendEscaped(out, left[0]);
      ++done;
    } else {
      out += left.substr(0, size);
      done += size;
    }
  }
  rest.erase(0, done);
}

double BitsPerByte(const Passage& p) {
  return p.bits / static_cast<double>(p.size_bytes);
}

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

// Whether a word may end with `before` and another one begin with `after`. The
// characters from U+3000 to U+DFFF, of Chinese, Japanese and Korean, are words.
bool IsBetweenWords(char before, char after) {
  const auto is_of_word = [](char c) {
    const auto byte = static_cast<uint8_t>(c);
    return byte >= 0x80 || (byte >= '0' && byte <= '9') ||
           (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') ||
           byte == '_' || byte == '\'' || byte == '-';
  };
  const auto next = static_cast<uint8_t>(after);
  if (next >= 0xe3 && next <= 0xed) return true;
  return !is_of_word(before) || !is_of_word(after);
}

// What FindPassages() asks of the pieces before each, and before the end.
struct Prefix {
  uint64_t size_bytes;
  uint64_t blanks;
  double bits;
  bool is_between_words;
};

std::vector<Prefix> Prefixes(const std::vector<InspectedPiece>& pieces) {
  std::vector<Prefix> prefixes = {{0, 0, 0, true}};
  for (size_t i = 0; i < pieces.size(); ++i) {
    const InspectedPiece& piece = pieces[i];
    Prefix next = prefixes.back();
    next.size_bytes += piece.bytes.size();
    next.blanks += static_cast<uint64_t>(
        std::ranges::count_if(piece.bytes, [](char c) { return IsBlank(c); }));
    next.bits += piece.bits;
    next.is_between_words =
        i + 1 == pieces.size() ||
        IsBetweenWords(piece.bytes.back(), pieces[i + 1].bytes.front());
    prefixes.push_back(next);
  }
  return prefixes;
}

}  // namespace

std::vector<Passage> FindPassages(const Inspection& inspection,
                                  uint64_t min_bytes, size_t count,
                                  bool dearest) {
  const std::vector<InspectedPiece>& pieces = inspection.pieces;
  const std::vector<Prefix> prefixes = Prefixes(pieces);
  // For each start the shortest passage that is long enough. Words of more than
  // `min_bytes` are cut.
  std::vector<Passage> all;
  size_t end = 0;
  for (size_t first = 0; first < prefixes.size(); ++first) {
    const Prefix& from = prefixes[first];
    if (!from.is_between_words || first == pieces.size() ||
        std::string_view(",.;:!?)]}").find(pieces[first].bytes[0]) !=
            std::string_view::npos) {
      continue;
    }
    end = std::max(end, first);
    const auto size_bytes = [&] {
      return prefixes[end].size_bytes - from.size_bytes;
    };
    while (end < prefixes.size() &&
           (size_bytes() < min_bytes || (!prefixes[end].is_between_words &&
                                         size_bytes() < 2 * min_bytes))) {
      ++end;
    }
    if (end == prefixes.size()) break;
    if (2 * (prefixes[end].blanks - from.blanks) > size_bytes()) continue;
    all.push_back(
        {first, end - first, size_bytes(), prefixes[end].bits - from.bits});
  }
  std::ranges::stable_sort(all, [&](const Passage& a, const Passage& b) {
    return dearest ? BitsPerByte(a) > BitsPerByte(b)
                   : BitsPerByte(a) < BitsPerByte(b);
  });
  std::vector<Passage> found;
  for (const Passage& p : all) {
    if (found.size() == count) break;
    const bool is_apart = std::ranges::none_of(found, [&](const Passage& q) {
      return p.first_piece <= q.first_piece + q.num_pieces &&
             q.first_piece <= p.first_piece + p.num_pieces;
    });
    if (is_apart) found.push_back(p);
  }
  return found;
}

std::vector<std::string> ShownTexts(const Inspection& inspection) {
  std::vector<std::string> texts;
  std::string rest;
  for (const InspectedPiece& piece : inspection.pieces) {
    rest += piece.bytes;
    TakeCharacters(rest, &piece == &inspection.pieces.back(),
                   texts.emplace_back());
  }
  return texts;
}

std::string ShownText(std::string_view bytes) {
  std::string rest(bytes), text;
  TakeCharacters(rest, true, text);
  return text;
}

}  // namespace llma::cli
