// SPDX-License-Identifier: Apache-2.0
// GGUF as a source of models.
#ifndef LLMA_IMPORTER_GGUF_IMPORT_GGUF_H_
#define LLMA_IMPORTER_GGUF_IMPORT_GGUF_H_

#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "importer/convert/convert_model.h"

namespace llma {

// Reads the architectures of architecture.h with a byte-level BPE vocabulary or
// SentencePiece's; kUnsupported names whatever else is found. Otherwise like
// ConvertModel.
Result<Fingerprint> ImportGgufBytes(Bytes file, const std::string& llmm_path,
                                    const ImportOptions& options);

// The same for anything else that is done with a source.
Status ReadGguf(Bytes file, const SourceUser& use);

}  // namespace llma

#endif  // LLMA_IMPORTER_GGUF_IMPORT_GGUF_H_
