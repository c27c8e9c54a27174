// SPDX-License-Identifier: Apache-2.0
// From a name or an address to an installed model: fetched, its SHA-256
// compared, imported, what was fetched removed.
#ifndef LLMA_STORE_PULL_MODEL_H_
#define LLMA_STORE_PULL_MODEL_H_

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "base/status.h"
#include "model/model.h"
#include "store/model_catalog.h"

namespace llma::store {

struct PullRequest {
  std::string source;       // of the catalog, or an address of a GGUF file
  std::string sha256;       // of the file; empty: the catalog's or the host's
  std::string name;         // of the model; empty: by the source
  std::string start_token;  // as ImportOptions
  bool keeps_source = false;
  bool overwrite = false;
  std::string folder;  // empty: UserModelFolder()
};

struct PullCallbacks {
  // Bytes so far, and in all (0: not known). False ends the work.
  std::function<bool(uint64_t, uint64_t)> progress;
  // What is worth telling, a line each.
  std::function<void(const std::string&)> note;
};

struct PulledModel {
  std::string path;
  std::string source_path;  // of the GGUF file, if it is still there
  Fingerprint fingerprint{};
};

// HF_ENDPOINT of the environment holds, and FindHubToken(). Where the hub is
// not reached or does not give the file, a package has it perhaps, in the index
// of FindPackageIndex(). NAME.gguf of the folder is used if it is the file, and
// in any case left as it is. Not thread-safe.
Result<PulledModel> PullModel(
    const PullRequest& request, const PullCallbacks& callbacks,
    std::span<const CatalogEntry> catalog = Catalog());

}  // namespace llma::store

#endif  // LLMA_STORE_PULL_MODEL_H_
