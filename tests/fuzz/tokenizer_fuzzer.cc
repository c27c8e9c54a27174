// SPDX-License-Identifier: Apache-2.0
// Any text, cut by each pattern and merged by any vocabulary: the tokens spell
// the text.
#include <map>
#include <string>
#include <vector>

#include "fuzz/fuzz_support.h"
#include "tokenizer/pre_tokenizer.h"
#include "tokenizer/tokenizer.h"

namespace llma {
namespace {

struct Vocabulary {
  std::vector<uint32_t> offsets;
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> merges;
};

// Tokens are a size and bytes, merges two rows; those whose result is no token
// are left out unless `any_merges`.
Vocabulary MakeVocabulary(FuzzInput& input, bool any_merges) {
  std::map<std::string, uint32_t> rows;
  for (int n = input.TakeU8(); n > 0; --n) {
    rows.emplace(AsStringView(input.Take(1 + input.TakeU8() % 8)), 0);
  }
  rows.erase("");
  rows.emplace("a", 0);
  Vocabulary vocabulary;
  std::vector<std::string> tokens;
  vocabulary.offsets.push_back(0);
  for (auto& [token, row] : rows) {
    row = static_cast<uint32_t>(tokens.size());
    tokens.push_back(token);
    vocabulary.bytes.insert(vocabulary.bytes.end(), token.begin(), token.end());
    vocabulary.offsets.push_back(
        static_cast<uint32_t>(vocabulary.bytes.size()));
  }
  for (int n = input.TakeU8(); n > 0; --n) {
    const auto left = input.TakeU8() % static_cast<uint32_t>(tokens.size());
    const auto right = input.TakeU8() % static_cast<uint32_t>(tokens.size());
    if (!any_merges && rows.count(tokens[left] + tokens[right]) == 0) continue;
    vocabulary.merges.push_back(left);
    vocabulary.merges.push_back(right);
  }
  return vocabulary;
}

void CheckSpelling(const TokenTable& tokens, Bytes text,
                   const std::vector<TextPiece>& pieces) {
  for (const TextPiece& piece : pieces) {
    FUZZ_CHECK(piece.size_bytes > 0 && piece.size_bytes <= text.size());
    const Bytes part = text.first(piece.size_bytes);
    text = text.subspan(piece.size_bytes);
    if (piece.token == TextPiece::kEscape) {
      FUZZ_CHECK(part.size() == 1);
    } else {
      FUZZ_CHECK(piece.token < tokens.num_tokens());
      FUZZ_CHECK(AsStringView(tokens.spelling(piece.token)) ==
                 AsStringView(part));
    }
  }
  FUZZ_CHECK(text.empty());
}

// The pieces are the text, and none is empty or too long.
void CheckSplits(size_t which, Bytes text) {
  static const auto splitters = [] {
    std::vector<PreTokenizer> made;
    for (const SplitPattern& pattern : SplitPatterns()) {
      made.push_back(*PreTokenizer::Create(pattern));
    }
    return made;
  }();
  size_t sum = 0;
  for (const uint32_t size : splitters[which].Split(text)) {
    FUZZ_CHECK(size > 0 && size <= kMaxPieceBytes);
    sum += size;
  }
  FUZZ_CHECK(sum == text.size());
}

}  // namespace
}  // namespace llma

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace llma;
  FuzzInput input(Bytes(data, size));
  const uint8_t flags = input.TakeU8();
  const size_t which = flags % SplitPatterns().size();
  const Vocabulary vocabulary = MakeVocabulary(input, (flags & 0x80) != 0);
  const Bytes text = input.TakeRest();
  CheckSplits(which, text);
  const TokenTable tokens(vocabulary.offsets, vocabulary.bytes);
  const auto tokenizer = Tokenizer::Create(
      tokens, {SplitPatterns()[which].name, vocabulary.merges});
  if (tokenizer) {
    CheckSpelling(tokens, text, (*tokenizer)->Encode(text));
  } else {
    FUZZ_CHECK(tokenizer.error().code == ErrorCode::kCorrupt);
  }
  return 0;
}
