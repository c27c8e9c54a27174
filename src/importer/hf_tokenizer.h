// SPDX-License-Identifier: Apache-2.0
// tokenizer.json of a Hugging Face folder: a byte-level BPE vocabulary.
#ifndef LLMA_IMPORTER_HF_TOKENIZER_H_
#define LLMA_IMPORTER_HF_TOKENIZER_H_

#include "base/status.h"
#include "importer/json_value.h"
#include "importer/source_model.h"

namespace llma {

// Fills in tokens, kinds, merges and pre_tokenizer, as views into `json`.
// Added tokens are no text; ids without a token stay empty. kUnsupported names
// the field that says what is not byte-level BPE, or not split in a way that
// tokenizer/split_patterns.h knows.
//
// Not looked at: normalizer, post_processor, decoder. They do not change which
// tokens there are, and a text is coded as it is.
Status ReadHfTokenizer(const JsonValue& json, SourceVocabulary& vocabulary);

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_TOKENIZER_H_
