// SPDX-License-Identifier: Apache-2.0
// Who the user is to the hub of models, found where its own programs keep it.
#ifndef LLMA_STORE_HUB_TOKEN_H_
#define LLMA_STORE_HUB_TOKEN_H_

#include <string>

#include "base/status.h"

namespace llma::store {

struct HubToken {
  std::string text;    // empty: there is none
  std::string origin;  // "HF_TOKEN", or the path of a file, for messages
};

// Of the environment's HF_TOKEN, else of the file that `hf auth login` writes:
// $HF_TOKEN_PATH, $HF_HOME/token, or ~/.cache/huggingface/token. kUsage, naming
// where it is from, if it cannot be one.
Result<HubToken> FindHubToken();

}  // namespace llma::store

#endif  // LLMA_STORE_HUB_TOKEN_H_
