// SPDX-License-Identifier: Apache-2.0
// Instead of api_model_files.cc, for programs that have models in memory alone.
#include "api/api_error.h"
#include "api/api_model.h"

namespace llma::api {
namespace {

Error NoFiles() {
  return Error{ErrorCode::kModelMissing,
               "no model was given, and this program has none installed: open "
               "it with llma_model_open_memory()"};
}

}  // namespace

Result<SharedModel> OpenByName(const std::string&) { return NoFiles(); }
Result<SharedModel> FindByPrefix(Bytes, uint32_t) { return NoFiles(); }

}  // namespace llma::api
