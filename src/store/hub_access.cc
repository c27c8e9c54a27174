// SPDX-License-Identifier: Apache-2.0
#include "store/hub_access.h"

#include "platform/machine/process.h"
#include "store/url.h"

namespace llma::store {
namespace {

constexpr char kDefaultEndpoint[] = "https://huggingface.co";

}  // namespace

DownloadSource HubAccess::SourceOf(const std::string& url,
                                   const std::string& page) const {
  DownloadSource source;
  source.url = url;
  source.token = token.text;
  source.token_from = token.origin;
  source.token_origin = origin;
  source.page = page;
  return source;
}

Result<HubAccess> FindHub() {
  HubAccess hub;
  hub.endpoint = Environment("HF_ENDPOINT");
  if (hub.endpoint.empty()) hub.endpoint = kDefaultEndpoint;
  while (hub.endpoint.ends_with('/')) hub.endpoint.pop_back();
  const auto url = ParseUrl(hub.endpoint);
  if (!url) {
    return Error{ErrorCode::kUsage, "HF_ENDPOINT: " + url.error().what};
  }
  hub.origin = url->origin();
  LLMA_ASSIGN(hub.token, FindHubToken());
  return hub;
}

}  // namespace llma::store
