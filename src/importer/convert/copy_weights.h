// SPDX-License-Identifier: Apache-2.0
// All weights of a source in the order of a model file.
#ifndef LLMA_IMPORTER_CONVERT_COPY_WEIGHTS_H_
#define LLMA_IMPORTER_CONVERT_COPY_WEIGHTS_H_

#include "importer/convert/tensor_reader.h"
#include "importer/convert/vocabulary.h"
#include "importer/convert/weight_sink.h"
#include "importer/source_model.h"

namespace llma {

// `config` is complete and valid. kUnsupported if a tensor is missing, has
// another shape, or was not looked for.
Status CopyWeights(const SourceModel& source, const ModelConfig& config,
                   const Vocabulary& vocabulary, TensorReader& in,
                   WeightSink& out);

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_COPY_WEIGHTS_H_
