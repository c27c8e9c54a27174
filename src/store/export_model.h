// SPDX-License-Identifier: Apache-2.0
// A model with all that is needed to read it, and what was made with it, in ten
// years: an archive to put beside the compressed files.
#ifndef LLMA_STORE_EXPORT_MODEL_H_
#define LLMA_STORE_EXPORT_MODEL_H_

#include <string>

#include "base/status.h"

namespace llma::store {

// Verifies the model first. The archive appears when it is whole, and says that
// `writer` wrote it: a program with its version.
Status ExportModel(const std::string& model_path, const std::string& tar_path,
                   bool overwrite, const std::string& writer);

}  // namespace llma::store

#endif  // LLMA_STORE_EXPORT_MODEL_H_
