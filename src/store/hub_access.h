// SPDX-License-Identifier: Apache-2.0
// The hub of models: where it is, and who asks.
#ifndef LLMA_STORE_HUB_ACCESS_H_
#define LLMA_STORE_HUB_ACCESS_H_

#include <string>

#include "base/status.h"
#include "store/download.h"
#include "store/hub_token.h"

namespace llma::store {

struct HubAccess {
  std::string endpoint;  // without '/' at its end
  std::string origin;    // Url::origin(): who gets the token
  HubToken token;

  // Something of the hub that is to be fetched. `page`: where its terms are.
  DownloadSource SourceOf(const std::string& url,
                          const std::string& page) const;
};

// HF_ENDPOINT of the environment, else Hugging Face; and FindHubToken().
Result<HubAccess> FindHub();

}  // namespace llma::store

#endif  // LLMA_STORE_HUB_ACCESS_H_
