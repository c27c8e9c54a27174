// SPDX-License-Identifier: Apache-2.0
// SHA-256 of a content that arrives in pieces (OpenSSL libcrypto).
#ifndef LLMA_IMPORTER_SHA256_H_
#define LLMA_IMPORTER_SHA256_H_

#include <array>
#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace llma {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(Sha256&&) noexcept;
  void Update(Bytes data);
  // kMemory if the library failed at any time. Call it once.
  Result<std::array<uint8_t, 32>> Digest();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llma

#endif  // LLMA_IMPORTER_SHA256_H_
