// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of a Hugging Face folder: a BPE vocabulary.
#ifndef LLMA_IMPORTER_HF_HF_TOKENIZER_H_
#define LLMA_IMPORTER_HF_HF_TOKENIZER_H_

#include "base/status.h"
#include "importer/hf/json_value.h"
#include "importer/source_model.h"

namespace llma {

// Fills in tokens, kinds, merges or scores, and pre_tokenizer, as views into
// `json`. Added tokens are no text, except that SentencePiece's that are not
// special are found as a whole; ids without a token stay empty. kUnsupported
// names the field that says what is neither byte-level BPE nor SentencePiece's.
// Of a way to split that tokenizer/split_patterns.h does not know, the nearest
// is taken, and said in `notes`.
//
// Not looked at: post_processor, decoder, and of the normalizer only whether it
// writes U+2581 for blanks. They do not change which tokens there are, and a
// text is coded as it is.
Status ReadHfTokenizer(const JsonValue& json, SourceVocabulary& vocabulary,
                       std::vector<std::string>& notes);

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_HF_TOKENIZER_H_
