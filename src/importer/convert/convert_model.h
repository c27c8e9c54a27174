// SPDX-License-Identifier: Apache-2.0
// The way from any source to a .llmm file. Exact: the same source gives the
// same file on every machine.
#ifndef LLMA_IMPORTER_CONVERT_CONVERT_MODEL_H_
#define LLMA_IMPORTER_CONVERT_CONVERT_MODEL_H_

#include <functional>
#include <string>

#include "base/status.h"
#include "importer/source_model.h"
#include "model/model.h"

namespace llma {

// Stored in each file; grows when the importer's results change.
inline constexpr uint32_t kImporterVersion = 2;

struct PeftFiles;

struct ImportOptions {
  // Empty: from the source's name (ModelNameFromPath), where it has one.
  std::string name;
  // The token that is fed before a stream, as the source writes it. Empty: a
  // new line if it is a token, else the model's beginning of stream.
  std::string start_token;
  bool overwrite = false;
  // Called for each thing that was approximated or left out.
  std::function<void(const std::string&)> note{};
  // A low-rank adapter that is merged into the weights (adapter.h), by its
  // path; empty: none.
  std::string adapter_path = {};
  // The same, of files in memory; null if there is none.
  const PeftFiles* adapter = nullptr;
};

// Writes `llmm_path` only if all went well, and returns the fingerprint;
// options.name must not be empty. Peak memory is a few times the largest
// matrix.
Result<Fingerprint> ConvertModel(const SourceModel& source,
                                 const std::string& llmm_path,
                                 const ImportOptions& options);
// Converts what `read` gives to its argument, notes first.
Result<Fingerprint> ConvertSource(
    const std::function<Status(const SourceUser&)>& read,
    const std::string& llmm_path, const ImportOptions& options);

}  // namespace llma

#endif  // LLMA_IMPORTER_CONVERT_CONVERT_MODEL_H_
