// SPDX-License-Identifier: Apache-2.0
// Repositories of the hub: their names, and what the hub says of their files.
#ifndef LLMA_STORE_HUB_REPOSITORY_H_
#define LLMA_STORE_HUB_REPOSITORY_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "store/hub_access.h"
#include "store/retry_wait.h"

namespace llma::store {

struct RepositoryName {
  std::string path;  // "OWNER/NAME"
  std::string revision = "main";

  std::string name() const { return path.substr(path.find('/') + 1); }
};

// True for "hf:...".
bool LooksLikeRepository(std::string_view text);

// Of "hf:OWNER/NAME" or "hf:OWNER/NAME@REVISION": a branch, a tag or a commit.
// kUsage for anything else.
Result<RepositoryName> ParseRepositoryName(std::string_view text);

// Of the address of its page, "ENDPOINT/OWNER/NAME" or
// "ENDPOINT/OWNER/NAME/tree/REVISION"; nothing if it is another address.
std::optional<RepositoryName> RepositoryOfPage(std::string_view url,
                                               const std::string& endpoint);

struct RepositoryFile {
  uint64_t size_bytes = 0;
  // One of them; neither where a host that is not the hub itself says none.
  std::string sha256;
  std::string blob_id;  // git_blob.h
};

struct Repository {
  std::string commit;   // 40 hexadecimal digits
  std::string license;  // may be empty
  bool is_gated = false;
  // Plain names of what a model may consist of, in no folder.
  std::map<std::string, RepositoryFile, std::less<>> files;
  std::vector<std::string> gguf_files;
};

// What the hub's interface answers of a model, which may be anything.
Result<Repository> ParseRepository(Bytes answer);

// Which files have the weights: those that model.safetensors.index.json names,
// if there is one, whose content `index` is.
Result<std::vector<std::string>> ChooseWeights(const Repository& repository,
                                               Bytes index);

// Asks the hub.
Result<Repository> FindRepository(const HubAccess& hub,
                                  const RepositoryName& name,
                                  const RetryCallbacks& callbacks);

// Where people read of it, and accept its terms.
std::string PageOfRepository(const HubAccess& hub, const RepositoryName& name);

}  // namespace llma::store

#endif  // LLMA_STORE_HUB_REPOSITORY_H_
