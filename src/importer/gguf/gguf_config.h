// SPDX-License-Identifier: Apache-2.0
// What the metadata of a GGUF file says of a model.
#ifndef LLMA_IMPORTER_GGUF_GGUF_CONFIG_H_
#define LLMA_IMPORTER_GGUF_GGUF_CONFIG_H_

#include "base/status.h"
#include "importer/gguf/gguf_reader.h"
#include "importer/source_model.h"

namespace llma {

// Fills in all but vocabulary and tensors. Errors (kUnsupported) name the key.
Status ReadGgufConfig(const GgufReader& gguf, SourceModel& source);

}  // namespace llma

#endif  // LLMA_IMPORTER_GGUF_GGUF_CONFIG_H_
