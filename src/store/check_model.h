// SPDX-License-Identifier: Apache-2.0
// Whether a model is what it says; and removing one.
#ifndef LLMA_STORE_CHECK_MODEL_H_
#define LLMA_STORE_CHECK_MODEL_H_

#include <memory>
#include <string>

#include "base/status.h"
#include "model/model.h"
#include "model/model_registry.h"

namespace llma::store {

// The path that a name or path means: a path has a '/' or ends in ".llmm".
Result<std::string> FindModelPath(const std::string& name_or_path);

// Reads all of the file: checksums and bounds of every section, and the
// fingerprint, computed anew.
Result<std::unique_ptr<Model>> VerifyModel(const std::string& path);

// FindModelById(), with the way to get it where the catalog knows one.
Result<InstalledModel> FindModelOfFile(Bytes id);

// Removes the file of an installed model; a name, not a path.
Result<std::string> RemoveModel(const std::string& name);

}  // namespace llma::store

#endif  // LLMA_STORE_CHECK_MODEL_H_
