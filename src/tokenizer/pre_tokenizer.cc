// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/pre_tokenizer.h"

#include <algorithm>

namespace llma {
namespace {

// Near the end of what a pattern sees, it might have matched otherwise with
// more text: "'l" of "'ll". No pattern looks further ahead than this, except
// along a run of white space.
constexpr size_t kLookAheadBytes = 16;

// The largest number of bytes up to `size` that does not cut a character.
size_t CutBetweenCharacters(Bytes text, size_t size) {
  if (size >= text.size()) return text.size();
  for (size_t cut = size; cut + 4 > size && cut > 0; --cut) {
    if ((text[cut] & 0xc0) != 0x80) return cut;
  }
  return size;  // not UTF-8
}

// One call of Split.
class Splitter {
 public:
  Splitter(const std::vector<SplitRegex>& stages, std::vector<uint32_t>& sizes)
      : stages_(stages), sizes_(sizes) {}

  // Cuts `text` by the patterns from `stage` on.
  void Split(size_t stage, Bytes text) {
    if (stage == stages_.size()) {
      Emit(text);
      return;
    }
    size_t gap = 0;  // [gap, pos) is not matched
    size_t pos = 0;
    const auto close_gap = [&](size_t end) {
      if (end > gap) Split(stage + 1, text.subspan(gap, end - gap));
      gap = end;
    };
    while (pos < text.size()) {
      const Bytes rest = text.subspan(pos);
      const size_t seen = CutBetweenCharacters(rest, kMaxPieceBytes);
      const bool is_cut = seen < rest.size();
      const size_t safe_end = is_cut ? seen - kLookAheadBytes : seen;
      const auto match = stages_[stage].Find(rest.first(seen), choices_);
      if (!match) {
        pos += safe_end;
        continue;
      }
      if (match->begin > 0 && match->end > safe_end) {
        pos += std::min(match->begin, safe_end);  // look again from there
        continue;
      }
      close_gap(pos + match->begin);
      gap = pos += match->end;
      Split(stage + 1, rest.subspan(match->begin, match->end - match->begin));
    }
    close_gap(text.size());
  }

 private:
  void Emit(Bytes piece) {
    while (!piece.empty()) {
      const size_t size = CutBetweenCharacters(piece, kMaxPieceBytes);
      sizes_.push_back(static_cast<uint32_t>(size));
      piece = piece.subspan(size);
    }
  }

  const std::vector<SplitRegex>& stages_;
  std::vector<SplitRegex::Choice> choices_;
  std::vector<uint32_t>& sizes_;
};

}  // namespace

Result<PreTokenizer> PreTokenizer::Create(const SplitPattern& pattern) {
  PreTokenizer made;
  for (const char* stage : pattern.stages) {
    if (stage == nullptr) continue;
    LLMA_ASSIGN(SplitRegex regex, SplitRegex::Compile(stage));
    made.stages_.push_back(std::move(regex));
  }
  return made;
}

std::vector<uint32_t> PreTokenizer::Split(Bytes text) const {
  std::vector<uint32_t> sizes;
  Splitter(stages_, sizes).Split(0, text);
  return sizes;
}

}  // namespace llma
