// SPDX-License-Identifier: Apache-2.0
// The vocabulary of a GGUF file.
#ifndef LLMA_IMPORTER_GGUF_GGUF_TOKENS_H_
#define LLMA_IMPORTER_GGUF_GGUF_TOKENS_H_

#include "base/status.h"
#include "importer/gguf/gguf_reader.h"
#include "importer/source_model.h"

namespace llma {

// Views into what `gguf` reads. kUnsupported if the tokenizer is neither
// byte-level BPE ("gpt2") nor SentencePiece's BPE ("llama"). What decides no
// more than how a text is cut is guessed where it is not known; each guess is
// said in `notes`.
Result<SourceVocabulary> ReadGgufTokens(const GgufReader& gguf,
                                        std::vector<std::string>& notes);

}  // namespace llma

#endif  // LLMA_IMPORTER_GGUF_GGUF_TOKENS_H_
