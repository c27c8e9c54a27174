// SPDX-License-Identifier: Apache-2.0
// What a model loses by import and by exact arithmetic.
#ifndef LLMA_IMPORTER_MEASURE_IMPORT_LOSS_H_
#define LLMA_IMPORTER_MEASURE_IMPORT_LOSS_H_

#include <cstdint>
#include <string>

#include "base/bytes.h"
#include "base/status.h"
#include "model/model.h"

namespace llma {

struct ImportLoss {
  uint32_t num_tokens = 0;
  uint64_t num_bytes = 0;
  // The source's weights, binary32 without quantising; negative: not known.
  double float_bits = -1;
  double exact_bits = 0;  // what a file is coded with
};

// Imports a GGUF file or a folder to a file that is removed again, and lets
// both read the first tokens of a text after the model's start token. The
// source's weights are in memory, four bytes each. If `adapter_path` is not
// empty, it is merged into them. kUsage if the text has no tokens.
Result<ImportLoss> MeasureImportLoss(const std::string& source_path,
                                     const std::string& adapter_path,
                                     Bytes text, uint32_t max_tokens,
                                     int num_threads);

// The same of a model that was imported, without its source: exact bits alone.
Result<ImportLoss> MeasureModelBits(const Model& model, Bytes text,
                                    uint32_t max_tokens, int num_threads);

}  // namespace llma

#endif  // LLMA_IMPORTER_MEASURE_IMPORT_LOSS_H_
