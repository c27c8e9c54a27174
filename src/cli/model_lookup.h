// SPDX-License-Identifier: Apache-2.0
// Which model a command means, and where it is.
#ifndef LLMA_CLI_MODEL_LOOKUP_H_
#define LLMA_CLI_MODEL_LOOKUP_H_

#include <memory>
#include <string>

#include "base/status.h"
#include "container/frame_header.h"
#include "model/model.h"

namespace llma::cli {

// A name of an installed model (model/model_registry.h), or a path: whatever
// has a '/' or ends in ".llmm". Empty: the default model.
Result<std::unique_ptr<Model>> OpenModel(const std::string& name_or_path);

// The model that a file needs; null if it needs none. `name_or_path`: looked
// up instead, if not empty.
Result<std::unique_ptr<Model>> OpenModelFor(const FrameHeader& header,
                                            const std::string& name_or_path);

// "0123abcd..."
std::string Hex(Bytes bytes);

}  // namespace llma::cli

#endif  // LLMA_CLI_MODEL_LOOKUP_H_
