// SPDX-License-Identifier: Apache-2.0
// From a name or an address to an installed model: fetched, its SHA-256
// compared, imported, what was fetched removed.
#ifndef LLMA_STORE_PULL_MODEL_H_
#define LLMA_STORE_PULL_MODEL_H_

#include <span>
#include <string>

#include "base/status.h"
#include "model/model.h"
#include "store/model_catalog.h"
#include "store/pull_callbacks.h"

namespace llma::store {

struct PullRequest {
  // Of the catalog, the address of a GGUF file, or a repository of the hub
  // (hub_repository.h).
  std::string source;
  std::string sha256;       // of the file; empty: the catalog's or the host's
  std::string name;         // of the model; empty: by the source
  std::string start_token;  // as ImportOptions
  std::string adapter;      // the same: adapter_path
  bool keeps_source = false;
  bool overwrite = false;
  std::string folder;  // empty: UserModelFolder()
};

struct PulledModel {
  std::string path;
  std::string source_path;  // of what was fetched, if it is still there
  Fingerprint fingerprint{};
};

// HF_ENDPOINT of the environment holds, and FindHubToken(). Where the hub is
// not reached or does not give the file, a package has it perhaps, in the index
// of FindPackageIndex(). NAME.gguf of the folder is used if it is the file,
// NAME if it is a folder with those of the repository, and in any case they are
// left as they are. Not thread-safe.
Result<PulledModel> PullModel(
    const PullRequest& request, const PullCallbacks& callbacks,
    std::span<const CatalogEntry> catalog = Catalog());

}  // namespace llma::store

#endif  // LLMA_STORE_PULL_MODEL_H_
