// SPDX-License-Identifier: Apache-2.0
// The tokens of a BPE model, sorted by the bytes they spell.
#ifndef LLMA_IMPORTER_CONVERT_VOCABULARY_H_
#define LLMA_IMPORTER_CONVERT_VOCABULARY_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "importer/source_model.h"
#include "model/model.h"

namespace llma {

inline constexpr uint32_t kMaxVocabularyTokens = 1u << 20;

struct Vocabulary {
  // Rows [0, num_tokens) are the spellable tokens in ascending order of their
  // bytes, then come the rows that can only be fed.
  uint32_t num_tokens = 0;
  uint32_t start_row = 0;
  std::vector<uint32_t> ids;      // [num_rows] the source's token ids
  std::vector<uint32_t> offsets;  // [num_tokens + 1] into bytes
  std::vector<uint8_t> bytes;
  std::vector<uint32_t> merges;  // [num_merges, 2] rows

  TokenTable tokens() const { return TokenTable(offsets, bytes); }
};

// The bytes that a token of a byte-level vocabulary stands for (GPT-2 writes
// each byte as a printable character); false if it has any other character.
bool DecodeByteLevel(std::string_view token, std::string& bytes);

// start_token: the token that is fed before a stream, as the source writes it;
// empty: a new line if it is a token, else the model's beginning of stream.
Result<Vocabulary> ReadVocabulary(SourceVocabulary source,
                                  std::string_view start_token);

// "a b" as most sources write a merge; kCorrupt if there is no space.
Result<TokenPair> SplitMerge(std::string_view merge);

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_VOCABULARY_H_
