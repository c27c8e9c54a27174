// SPDX-License-Identifier: Apache-2.0
// SentencePiece's BPE: how its tokens are spelled, and the merges that its
// scores stand for.
#ifndef LLMA_IMPORTER_CONVERT_SCORE_MERGES_H_
#define LLMA_IMPORTER_CONVERT_SCORE_MERGES_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "importer/source_model.h"

namespace llma {

// The bytes that a token of this kind stands for: U+2581 is a blank, a byte is
// written "<0x0A>". False if it spells nothing.
bool DecodeSentencePiece(std::string_view token, TokenKind kind,
                         std::string& bytes);

struct IdMerge {
  uint32_t left;
  uint32_t right;
  uint32_t result;
};

// All splits of a text token into two text tokens, by falling score of the
// token, then by its id, then by where they split. Text tokens of several
// characters that no merge makes become kNone: they are never used, and a
// tokenizer would take them for whole ones. kLimit if there are too many.
// There is a score a token.
Result<std::vector<IdMerge>> MakeMergesFromScores(SourceVocabulary& source);

// Scores for a source that has merges instead: the first is the best. The
// merges are dropped. kUnsupported if they are not all the splits that
// MakeMergesFromScores would find.
Status MakeScoresFromMerges(SourceVocabulary& source);

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_SCORE_MERGES_H_
