// SPDX-License-Identifier: Apache-2.0
#include "cli/inspection.h"

#include <algorithm>
#include <array>
#include <cstdio>

namespace llma::cli {
namespace {

// The length of the UTF-8 character that starts here; 0: none does; more than
// `left`: it may go on behind the end.
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

}  // namespace

std::vector<Passage> FindPassages(const Inspection& inspection,
                                  uint64_t min_bytes, size_t count,
                                  bool dearest) {
  const std::vector<InspectedPiece>& pieces = inspection.pieces;
  // For each start the shortest passage that is long enough.
  std::vector<Passage> all;
  Passage window = {0, 0, 0, 0};
  for (size_t first = 0; first < pieces.size(); ++first) {
    window.first_piece = first;
    while (window.size_bytes < min_bytes &&
           first + window.num_pieces < pieces.size()) {
      const InspectedPiece& next = pieces[first + window.num_pieces++];
      window.size_bytes += next.bytes.size();
      window.bits += next.bits;
    }
    if (window.size_bytes < min_bytes) break;
    all.push_back(window);
    --window.num_pieces;
    window.size_bytes -= pieces[first].bytes.size();
    window.bits -= pieces[first].bits;
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
