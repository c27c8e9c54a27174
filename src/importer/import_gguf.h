// SPDX-License-Identifier: Apache-2.0
// GGUF to .llmm. Exact: the same input gives the same file on every machine.
#ifndef LLMA_IMPORTER_IMPORT_GGUF_H_
#define LLMA_IMPORTER_IMPORT_GGUF_H_

#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "model/model.h"

namespace llma {

// Stored in each file; grows when the importer's results change.
inline constexpr uint32_t kImporterVersion = 1;

struct ImportOptions {
  // Empty: from the file's name ("SmolLM2-135M-Instruct.Q4_1.gguf" gives
  // "smollm2-135m-instruct").
  std::string name;
  // The token that is fed before a stream, by its text in the GGUF. Empty: a
  // new line if it is a token, else the model's beginning of stream.
  std::string start_token;
  bool overwrite = false;
};

// Reads architecture `llama` with a byte-level BPE vocabulary; kUnsupported
// names whatever else is found. Writes `llmm_path` only if all went well, and
// returns the fingerprint. Peak memory is a few times the largest matrix.
Result<Fingerprint> ImportGguf(const std::string& gguf_path,
                               const std::string& llmm_path,
                               const ImportOptions& options);

// The same for bytes in memory; options.name must not be empty.
Result<Fingerprint> ImportGgufBytes(Bytes source, const std::string& llmm_path,
                                    const ImportOptions& options);

// The name that an empty ImportOptions::name stands for; may be empty.
std::string ModelNameFromPath(const std::string& gguf_path);

}  // namespace llma

#endif  // LLMA_IMPORTER_IMPORT_GGUF_H_
