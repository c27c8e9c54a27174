// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/pre_tokenizer.h"

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <string>

namespace llma {
namespace {

struct FreeCode {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
};
struct FreeMatchData {
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
};
using Code = std::unique_ptr<pcre2_code, FreeCode>;
using MatchData = std::unique_ptr<pcre2_match_data, FreeMatchData>;

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

struct Span {
  size_t begin;
  size_t end;
};

}  // namespace

struct PreTokenizer::Stages {
  std::vector<Code> codes;
  bool use_jit = false;
};

namespace {

// One call of Split.
class Splitter {
 public:
  Splitter(const std::vector<Code>& codes, bool use_jit,
           std::vector<uint32_t>& sizes)
      : codes_(codes), use_jit_(use_jit), sizes_(sizes) {
    for (const Code& code : codes_) {
      // Owned before the vector grows, which may fail.
      MatchData data(pcre2_match_data_create_from_pattern(code.get(), nullptr));
      match_data_.push_back(std::move(data));
    }
  }

  // Cuts `text` by the patterns from `stage` on.
  void Split(size_t stage, Bytes text) {
    if (stage == codes_.size()) {
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
      Span match;
      if (!Match(stage, rest.first(seen), match) || match.end == match.begin) {
        pos += safe_end;
        continue;
      }
      if (match.begin > 0 && match.end > safe_end) {
        pos += std::min(match.begin, safe_end);  // look again from there
        continue;
      }
      close_gap(pos + match.begin);
      gap = pos += match.end;
      Split(stage + 1, rest.subspan(match.begin, match.end - match.begin));
    }
    close_gap(text.size());
  }

 private:
  // The first match in `text`, relative to it. False if there is none, or if
  // PCRE2 gave up: then the text stays whole up to kMaxPieceBytes.
  bool Match(size_t stage, Bytes text, Span& match) {
    pcre2_match_data* data = match_data_[stage].get();
    if (data == nullptr) return false;
    // The direct call does not check the text first; JIT code that is compiled
    // for invalid UTF does that as it goes.
    const auto function = use_jit_ ? pcre2_jit_match : pcre2_match;
    const int found = function(codes_[stage].get(), text.data(), text.size(), 0,
                               0, data, nullptr);
    if (found < 0) return false;
    const PCRE2_SIZE* ends = pcre2_get_ovector_pointer(data);
    match = {ends[0], ends[1]};
    return true;
  }

  void Emit(Bytes piece) {
    while (!piece.empty()) {
      const size_t size = CutBetweenCharacters(piece, kMaxPieceBytes);
      sizes_.push_back(static_cast<uint32_t>(size));
      piece = piece.subspan(size);
    }
  }

  const std::vector<Code>& codes_;
  const bool use_jit_;
  std::vector<MatchData> match_data_;
  std::vector<uint32_t>& sizes_;
};

}  // namespace

PreTokenizer::PreTokenizer(std::unique_ptr<Stages> stages)
    : stages_(std::move(stages)) {}
PreTokenizer::~PreTokenizer() = default;
PreTokenizer::PreTokenizer(PreTokenizer&&) noexcept = default;

Result<PreTokenizer> PreTokenizer::Create(const SplitPattern& pattern,
                                          bool use_jit) {
  auto stages = std::make_unique<Stages>();
  stages->use_jit = use_jit;
  for (const char* stage : pattern.stages) {
    if (stage == nullptr) continue;
    int error = 0;
    PCRE2_SIZE offset = 0;
    Code code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(stage),
                            PCRE2_ZERO_TERMINATED,
                            PCRE2_UTF | PCRE2_UCP | PCRE2_MATCH_INVALID_UTF,
                            &error, &offset, nullptr));
    if (code == nullptr) {
      return Error{ErrorCode::kInternal,
                   "pre-tokenizer " + std::string(pattern.name) +
                       ": PCRE2 error " + std::to_string(error) + " at " +
                       std::to_string(offset)};
    }
    // Where there is no JIT, all stages are interpreted: same matches, slower.
    stages->use_jit = stages->use_jit &&
                      pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE) == 0;
    stages->codes.push_back(std::move(code));
  }
  return PreTokenizer(std::move(stages));
}

std::vector<uint32_t> PreTokenizer::Split(Bytes text) const {
  std::vector<uint32_t> sizes;
  Splitter(stages_->codes, stages_->use_jit, sizes).Split(0, text);
  return sizes;
}

}  // namespace llma
