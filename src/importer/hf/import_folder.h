// SPDX-License-Identifier: Apache-2.0
// A Hugging Face folder as a source of models: config.json, tokenizer.json and
// one or more .safetensors files, with or without an index of them.
#ifndef LLMA_IMPORTER_HF_IMPORT_FOLDER_H_
#define LLMA_IMPORTER_HF_IMPORT_FOLDER_H_

#include <string>

#include "base/status.h"
#include "importer/convert/convert_model.h"

namespace llma {

// Reads the architectures of architecture.h with a byte-level BPE vocabulary or
// SentencePiece's; kUnsupported names whatever else is found. Errors name the
// file. Otherwise like ConvertModel.
//
// The source's SHA-256 is that of what `sha256sum config.json tokenizer.json
// FILE.safetensors...` prints in the folder, weights in order of their names.
Result<Fingerprint> ImportFolder(const std::string& folder,
                                 const std::string& llmm_path,
                                 const ImportOptions& options);

// Whether config.json and tokenizer.json, which may be all that is there, are
// of a model that can be imported.
Status CheckFolder(const std::string& folder);

// The same as ImportFolder() for anything else that is done with a source.
Status ReadFolder(const std::string& folder, const SourceUser& use);

}  // namespace llma

#endif  // LLMA_IMPORTER_HF_IMPORT_FOLDER_H_
