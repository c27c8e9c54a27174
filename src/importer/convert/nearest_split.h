// SPDX-License-Identifier: Apache-2.0
// How to cut a text for a byte-level vocabulary that does not say it, or says
// it in a way that is not known. A wrong guess makes files larger, no more.
#ifndef LLMA_IMPORTER_CONVERT_NEAREST_SPLIT_H_
#define LLMA_IMPORTER_CONVERT_NEAREST_SPLIT_H_

#include <string_view>

#include "importer/source_model.h"

namespace llma {

// The name in tokenizer/split_patterns.h of one that keeps such tokens whole,
// by what they are like: numbers of several digits, signs before letters,
// capitals within words.
std::string_view NearestSplitPattern(const SourceVocabulary& vocabulary);

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_NEAREST_SPLIT_H_
