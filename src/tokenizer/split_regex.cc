// SPDX-License-Identifier: Apache-2.0
#include "tokenizer/split_regex.h"

#include <algorithm>
#include <string>

#include "tokenizer/unicode_table.h"

namespace llma {
namespace {

constexpr uint32_t kUnlimited = ~uint32_t{0};

constexpr uint32_t Bit(CharClass c) { return 1u << static_cast<int>(c); }
constexpr uint32_t kLetters =
    Bit(CharClass::kUpper) | Bit(CharClass::kLower) | Bit(CharClass::kTitle) |
    Bit(CharClass::kModifier) | Bit(CharClass::kOtherLetter);
constexpr std::pair<std::string_view, uint32_t> kProperties[] = {
    {"L", kLetters},
    {"Lu", Bit(CharClass::kUpper)},
    {"Ll", Bit(CharClass::kLower)},
    {"Lt", Bit(CharClass::kTitle)},
    {"Lm", Bit(CharClass::kModifier)},
    {"Lo", Bit(CharClass::kOtherLetter)},
    {"M", Bit(CharClass::kMark)},
    {"N", Bit(CharClass::kNumber)},
    {"P", Bit(CharClass::kPunctuation)},
    {"S", Bit(CharClass::kSymbol)},
};

bool IsContinuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

}  // namespace

std::optional<TextCharacter> CharacterAt(Bytes text, size_t at) {
  if (at >= text.size()) return std::nullopt;
  const uint8_t first = text[at];
  if (first < 0x80) return TextCharacter{first, 1};
  const size_t size = first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
  if (first < 0xc2 || first > 0xf4 || text.size() - at < size) {
    return std::nullopt;
  }
  char32_t value = first & (0x7fu >> size);
  for (size_t i = 1; i < size; ++i) {
    if (!IsContinuation(text[at + i])) return std::nullopt;
    value = value << 6 | (text[at + i] & 0x3fu);
  }
  constexpr char32_t kSmallest[] = {0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest[size] || value > 0x10ffff ||
      (value >= 0xd800 && value < 0xe000)) {
    return std::nullopt;
  }
  return TextCharacter{value, size};
}

void CharSet::AddRange(char32_t first, char32_t last) {
  ranges_.emplace_back(first, last);
  for (char32_t c = first; c <= last && c < ascii_.size(); ++c) ascii_.set(c);
}

void CharSet::AddClasses(uint32_t classes) {
  classes_ |= classes;
  for (char32_t c = 0; c < ascii_.size(); ++c) {
    if ((classes & Bit(ClassOf(c))) != 0) ascii_.set(c);
  }
}

void CharSet::Negate() {
  is_negated_ = true;
  ascii_.flip();
}

bool CharSet::Find(char32_t character) const {
  const bool is_in =
      (classes_ & Bit(ClassOf(character))) != 0 ||
      std::ranges::any_of(ranges_, [character](const auto& range) {
        return range.first <= character && character <= range.second;
      });
  return is_in != is_negated_;
}

// Recursive descent; instructions are written as they are met.
class SplitRegexCompiler {
 public:
  explicit SplitRegexCompiler(std::string_view pattern) : rest_(pattern) {}

  Result<SplitRegex> Compile() {
    LLMA_TRY(Alternatives());
    if (!rest_.empty()) return Unexpected();
    Emit({.op = SplitRegex::Op::kMatch});
    return std::move(regex_);
  }

 private:
  using Op = SplitRegex::Op;

  Error Unexpected() const {
    return Error{ErrorCode::kInternal,
                 "a split pattern is not understood from '" +
                     std::string(rest_) + "' on"};
  }
  bool Take(std::string_view text) {
    if (!rest_.starts_with(text)) return false;
    rest_.remove_prefix(text.size());
    return true;
  }
  void Emit(const SplitRegex::Instruction& instruction) {
    regex_.program_.push_back(instruction);
  }
  uint32_t Here() const {
    return static_cast<uint32_t>(regex_.program_.size());
  }
  void InsertSplit(uint32_t at, uint32_t target) {
    regex_.program_.insert(regex_.program_.begin() + at,
                           {.op = Op::kSplit, .target = target});
    for (size_t i = at + 1; i < regex_.program_.size(); ++i) {
      SplitRegex::Instruction& moved = regex_.program_[i];
      if (moved.op == Op::kSplit || moved.op == Op::kJump) ++moved.target;
    }
  }

  Status Alternatives() {
    std::vector<uint32_t> jumps;  // to the end
    for (;;) {
      const uint32_t begin = Here();
      LLMA_TRY(Sequence());
      if (!Take("|")) break;
      InsertSplit(begin, Here() + 2);
      jumps.push_back(Here());
      Emit({.op = Op::kJump});
    }
    for (const uint32_t jump : jumps) regex_.program_[jump].target = Here();
    return OkStatus();
  }

  Status Sequence() {
    while (!rest_.empty() && rest_[0] != '|' && rest_[0] != ')') {
      LLMA_TRY(Item());
    }
    return OkStatus();
  }

  Status Item() {
    if (Take("(?!")) {
      LLMA_ASSIGN(CharSet set, OneCharacter());
      if (!Take(")")) return Unexpected();
      Emit({.op = Op::kNotBefore, .set = Add(std::move(set))});
      return OkStatus();
    }
    if (rest_.starts_with("(?:") || rest_.starts_with("(?i:")) return Group();
    LLMA_ASSIGN(CharSet set, OneCharacter());
    LLMA_ASSIGN(const auto counts, Counts());
    Emit({.op = Op::kRepeat,
          .set = Add(std::move(set)),
          .min = counts.first,
          .max = counts.second});
    return OkStatus();
  }

  // Once, or with a "?".
  Status Group() {
    const bool outer = ignores_case_;
    ignores_case_ = outer || rest_.starts_with("(?i:");
    rest_.remove_prefix(rest_.find(':') + 1);
    const uint32_t begin = Here();
    LLMA_TRY(Alternatives());
    if (!Take(")")) return Unexpected();
    ignores_case_ = outer;
    if (Take("?")) InsertSplit(begin, Here() + 1);
    if (!rest_.empty() &&
        std::string_view("*+{").find(rest_[0]) != std::string_view::npos) {
      return Unexpected();
    }
    return OkStatus();
  }

  // How often a character may come.
  Result<std::pair<uint32_t, uint32_t>> Counts() {
    if (Take("?")) return std::pair(0u, 1u);
    if (Take("*")) return std::pair(0u, kUnlimited);
    if (Take("+")) return std::pair(1u, kUnlimited);
    if (!Take("{")) return std::pair(1u, 1u);
    LLMA_ASSIGN(const uint32_t min, Number());
    uint32_t max = min;
    if (Take(",")) {
      LLMA_ASSIGN(max, Number());
    }
    if (max < min || !Take("}")) return Unexpected();
    return std::pair(min, max);
  }
  Result<uint32_t> Number() {
    if (rest_.empty() || rest_[0] < '0' || rest_[0] > '9') return Unexpected();
    const auto number = static_cast<uint32_t>(rest_[0] - '0');
    rest_.remove_prefix(1);
    return number;
  }

  // A character, an escape or a set in brackets.
  Result<CharSet> OneCharacter() {
    CharSet set;
    if (!Take("[")) {
      if (Take("\\S")) {
        set.AddClasses(Bit(CharClass::kSpace));
        set.Negate();
        return set;
      }
      LLMA_TRY(AddMember(set, "()[]{}?*+|.^$"));
      return set;
    }
    const bool is_negated = Take("^");
    while (!Take("]")) LLMA_TRY(AddMember(set, "["));
    if (is_negated) set.Negate();
    return set;
  }

  // One member of a set. forbidden: characters that mean something else.
  Status AddMember(CharSet& set, std::string_view forbidden) {
    if (Take("\\s")) {
      set.AddClasses(Bit(CharClass::kSpace));
      return OkStatus();
    }
    if (Take("\\p{")) {
      for (const auto& [name, classes] : kProperties) {
        if (Take(std::string(name) + "}")) {
          set.AddClasses(classes);
          return OkStatus();
        }
      }
      return Unexpected();
    }
    LLMA_ASSIGN(const char32_t first, Character(forbidden));
    char32_t last = first;
    if (forbidden == "[" && rest_.size() > 1 && rest_[0] == '-' &&
        rest_[1] != ']') {
      rest_.remove_prefix(1);
      LLMA_ASSIGN(last, Character(forbidden));
      if (last < first) return Unexpected();
    }
    set.AddRange(first, last);
    if (ignores_case_) {
      if (last != first) return Unexpected();
      AddOtherCase(set, first);
    }
    return OkStatus();
  }

  // Of ASCII; of what is equal to its letters when case is ignored, only the
  // long s is a letter on its own beside a pattern's letters.
  static void AddOtherCase(CharSet& set, char32_t c) {
    if (c >= 'A' && c <= 'Z') set.AddRange(c + 32, c + 32);
    if (c >= 'a' && c <= 'z') set.AddRange(c - 32, c - 32);
    if (c == 's' || c == 'S') set.AddRange(0x17f, 0x17f);
  }

  Result<char32_t> Character(std::string_view forbidden) {
    if (Take("\\n")) return U'\n';
    if (Take("\\r")) return U'\r';
    const bool is_escaped = Take("\\");
    const auto found = CharacterAt(AsBytes(rest_), 0);
    if (!found ||
        (is_escaped &&
         (found->value > 0x7f || ClassOf(found->value) == CharClass::kLower ||
          ClassOf(found->value) == CharClass::kUpper)) ||
        (!is_escaped && found->value < 0x80 &&
         forbidden.find(static_cast<char>(found->value)) !=
             std::string_view::npos)) {
      return Unexpected();
    }
    rest_.remove_prefix(found->num_bytes);
    return found->value;
  }

  uint32_t Add(CharSet set) {
    regex_.sets_.push_back(std::move(set));
    return static_cast<uint32_t>(regex_.sets_.size() - 1);
  }

  std::string_view rest_;
  bool ignores_case_ = false;
  SplitRegex regex_;
};

Result<SplitRegex> SplitRegex::Compile(std::string_view pattern) {
  return SplitRegexCompiler(pattern).Compile();
}

std::optional<SplitRegex::Match> SplitRegex::Find(
    Bytes text, std::vector<Choice>& choices) const {
  for (size_t at = 0; at < text.size();) {
    const auto end = MatchAt(text, at, choices);
    if (end && *end > at) return Match{at, *end};
    const auto character = CharacterAt(text, at);
    at += character ? character->num_bytes : 1;
  }
  return std::nullopt;
}

// Where the match at `at` ends.
std::optional<size_t> SplitRegex::MatchAt(Bytes text, size_t at,
                                          std::vector<Choice>& choices) const {
  choices.clear();
  uint32_t next = 0;
  for (;;) {
    const Instruction& now = program_[next];
    bool fails = false;
    switch (now.op) {
      case Op::kRepeat: {
        const CharSet& set = sets_[now.set];
        size_t min_end = at;
        uint32_t count = 0;
        for (; count < now.max; ++count) {
          const auto character = CharacterAt(text, at);
          if (!character || !set.Has(character->value)) break;
          at += character->num_bytes;
          if (count + 1 == now.min) min_end = at;
        }
        fails = count < now.min;
        ++next;
        if (!fails && at > min_end) choices.push_back({next, at, min_end});
        break;
      }
      case Op::kNotBefore: {
        const auto character = CharacterAt(text, at);
        fails = character && sets_[now.set].Has(character->value);
        ++next;
        break;
      }
      case Op::kSplit:
        choices.push_back({now.target, at, at});
        ++next;
        break;
      case Op::kJump:
        next = now.target;
        break;
      case Op::kMatch:
        return at;
    }
    if (!fails) continue;
    if (choices.empty()) return std::nullopt;
    Choice& choice = choices.back();
    next = choice.next;
    if (choice.end == choice.min_end) {
      at = choice.end;
      choices.pop_back();
      continue;
    }
    do {
      --choice.end;
    } while (IsContinuation(text[choice.end]));
    at = choice.end;
    if (choice.end == choice.min_end) choices.pop_back();
  }
}

}  // namespace llma
