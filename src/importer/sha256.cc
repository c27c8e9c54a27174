// SPDX-License-Identifier: Apache-2.0
#include "importer/sha256.h"

#include <openssl/evp.h>

namespace llma {

struct Sha256::State {
  State() : context(EVP_MD_CTX_new()) {
    good = context != nullptr &&
           EVP_DigestInit_ex(context, EVP_sha256(), nullptr) == 1;
  }
  ~State() { EVP_MD_CTX_free(context); }
  EVP_MD_CTX* context;
  bool good;
};

Sha256::Sha256() : state_(std::make_unique<State>()) {}
Sha256::~Sha256() = default;
Sha256::Sha256(Sha256&&) noexcept = default;

void Sha256::Update(Bytes data) {
  state_->good = state_->good && EVP_DigestUpdate(state_->context, data.data(),
                                                  data.size()) == 1;
}

Result<std::array<uint8_t, 32>> Sha256::Digest() {
  std::array<uint8_t, 32> digest;
  unsigned size = 0;
  if (!state_->good ||
      EVP_DigestFinal_ex(state_->context, digest.data(), &size) != 1 ||
      size != digest.size()) {
    return Error{ErrorCode::kMemory,
                 "SHA-256 cannot be computed: out of memory"};
  }
  return digest;
}

}  // namespace llma
