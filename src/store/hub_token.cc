// SPDX-License-Identifier: Apache-2.0
#include "store/hub_token.h"

#include <algorithm>
#include <string_view>

#include "base/bytes.h"
#include "platform/descriptors.h"
#include "platform/file_info.h"
#include "platform/file_system.h"
#include "platform/machine/process.h"
#include "store/trim.h"

namespace llma::store {
namespace {

constexpr uint64_t kMaxTokenBytes = 1 << 16;

std::string PathOfToken() {
  if (const std::string path = Environment("HF_TOKEN_PATH"); !path.empty()) {
    return path;
  }
  if (const std::string home = Environment("HF_HOME"); !home.empty()) {
    return home + "/token";
  }
  std::string cache = Environment("XDG_CACHE_HOME");
  if (cache.empty()) {
    const std::string home = HomeFolder();
    if (home.empty()) return "";
    cache = home + "/.cache";
  }
  return cache + "/huggingface/token";
}

Result<HubToken> CheckToken(std::string_view text, const std::string& origin) {
  HubToken token{std::string(Trim(text)), origin};
  const bool is_one = std::ranges::all_of(
      token.text, [](char c) { return c > ' ' && c <= '~'; });
  if (is_one) return token;
  return Error{ErrorCode::kUsage, origin + ": is not a token"};
}

}  // namespace

Result<HubToken> FindHubToken() {
  constexpr const char* kVariable = "HF_TOKEN";
  LLMA_ASSIGN(HubToken token, CheckToken(Environment(kVariable), kVariable));
  if (!token.text.empty()) return token;
  const std::string disabled = Environment("HF_HUB_DISABLE_IMPLICIT_TOKEN");
  const std::string path = PathOfToken();
  if (path.empty() || (!disabled.empty() && disabled != "0") ||
      !IsRegularFile(path)) {
    return HubToken();
  }
  const auto bytes = ReadFile(path, kMaxTokenBytes);
  // Whoever may not read it has none.
  if (!bytes) return HubToken();
  return CheckToken(AsStringView(*bytes), path);
}

}  // namespace llma::store
