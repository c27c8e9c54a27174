// SPDX-License-Identifier: Apache-2.0
// Import by path, whatever kind of source is there.
#ifndef LLMA_IMPORTER_MODEL_IMPORT_H_
#define LLMA_IMPORTER_MODEL_IMPORT_H_

#include <string>

#include "base/status.h"
#include "importer/convert/convert_model.h"
#include "model/model.h"

namespace llma {

// A GGUF file or a Hugging Face folder. Errors name the file.
Result<Fingerprint> ImportModel(const std::string& source_path,
                                const std::string& llmm_path,
                                const ImportOptions& options);

// The same for anything else that is done with a source. If `adapter_path` is
// not empty, it is merged into the weights (adapter.h).
Status ReadSource(const std::string& source_path,
                  const std::string& adapter_path, const SourceUser& use);

// The name that an empty ImportOptions::name stands for, by the file or folder:
// "SmolLM2-135M-Instruct.Q4_1.gguf" gives "smollm2-135m-instruct". May be
// empty.
std::string ModelNameFromPath(const std::string& source_path);

}  // namespace llma

#endif  // LLMA_IMPORTER_MODEL_IMPORT_H_
