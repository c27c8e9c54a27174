// SPDX-License-Identifier: Apache-2.0
#include "store/git_blob.h"

#include <openssl/evp.h>

#include <array>
#include <memory>

#include "base/hex.h"
#include "platform/mapped_file.h"

namespace llma::store {

bool IsGitId(const std::string& text) {
  return text.size() == 40 &&
         text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<std::string> GitBlobId(Bytes content) {
  struct Free {
    void operator()(EVP_MD_CTX* context) const { EVP_MD_CTX_free(context); }
  };
  const std::unique_ptr<EVP_MD_CTX, Free> context(EVP_MD_CTX_new());
  // With the 0 at its end.
  const std::string head = "blob " + std::to_string(content.size());
  std::array<uint8_t, 20> digest{};
  unsigned size = 0;
  if (context == nullptr ||
      EVP_DigestInit_ex(context.get(), EVP_sha1(), nullptr) != 1 ||
      EVP_DigestUpdate(context.get(), head.c_str(), head.size() + 1) != 1 ||
      EVP_DigestUpdate(context.get(), content.data(), content.size()) != 1 ||
      EVP_DigestFinal_ex(context.get(), digest.data(), &size) != 1 ||
      size != digest.size()) {
    return Error{ErrorCode::kUnsupported,
                 "SHA-1 cannot be computed: libcrypto refuses it"};
  }
  return ToHex(digest);
}

Result<std::string> GitBlobIdOfFile(const std::string& path) {
  LLMA_ASSIGN(const MappedFile file, MappedFile::Open(path));
  return GitBlobId(file.bytes());
}

}  // namespace llma::store
