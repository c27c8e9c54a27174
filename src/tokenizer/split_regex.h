// SPDX-License-Identifier: Apache-2.0
// The part of regular expressions that pre-tokenizers use, over UTF-8: the same
// matches everywhere, since characters have the classes of unicode_table.h.
#ifndef LLMA_TOKENIZER_SPLIT_REGEX_H_
#define LLMA_TOKENIZER_SPLIT_REGEX_H_

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"

namespace llma {

// A character of a text and its bytes; none at the end, nor where bytes are not
// UTF-8.
struct TextCharacter {
  char32_t value;
  size_t num_bytes;
};
std::optional<TextCharacter> CharacterAt(Bytes text, size_t at);

// What a character may be.
class CharSet {
 public:
  void AddRange(char32_t first, char32_t last);
  void AddClasses(uint32_t classes);  // bit i: CharClass i
  void Negate();                      // last
  bool Has(char32_t character) const {
    return character < ascii_.size() ? ascii_[character] : Find(character);
  }

 private:
  bool Find(char32_t character) const;

  uint32_t classes_ = 0;
  std::vector<std::pair<char32_t, char32_t>> ranges_;
  bool is_negated_ = false;
  std::bitset<128> ascii_;
};

// Characters and escapes (\n, \r, \s, \S, \p{L}, \p{Lu} and so on), sets of
// them in brackets, groups "(?i:...)" and "(?:...)", alternatives, "?", "*",
// "+",
// "{n}", "{n,m}", all greedy, and of what must not follow "(?!x)" with one
// character. As in Perl, the first alternative that leads to a match counts.
// Thread-safe.
class SplitRegex {
 public:
  // LLMA_ERROR_INTERNAL for what is not understood.
  static Result<SplitRegex> Compile(std::string_view pattern);

  struct Match {
    size_t begin, end;
  };
  // Where to go on if what follows fails: at the instruction `next`, a
  // character earlier each time as long as `end` is after `min_end`.
  struct Choice {
    uint32_t next;
    size_t end, min_end;
  };
  // The first match in `text` that is not empty. It has no byte that is not
  // UTF-8. Time grows with the square of a text at worst. `choices`: memory to
  // use, of a thread.
  std::optional<Match> Find(Bytes text, std::vector<Choice>& choices) const;

 private:
  friend class SplitRegexCompiler;
  enum class Op : uint8_t {
    kRepeat,     // characters of a set, as many as there are from min to max
    kNotBefore,  // the next character is none of the set
    kSplit,      // go on at the next instruction, or else at `target`
    kJump,       // to `target`
    kMatch,
  };
  struct Instruction {
    Op op;
    uint32_t set = 0;
    uint32_t min = 0, max = 0;
    uint32_t target = 0;
  };

  std::optional<size_t> MatchAt(Bytes text, size_t at,
                                std::vector<Choice>& choices) const;

  std::vector<CharSet> sets_;
  std::vector<Instruction> program_;
};

}  // namespace llma

#endif  // LLMA_TOKENIZER_SPLIT_REGEX_H_
