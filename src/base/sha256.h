// SPDX-License-Identifier: Apache-2.0
// SHA-256 (FIPS 180-4) of a content that arrives in pieces.
#ifndef LLMA_BASE_SHA256_H_
#define LLMA_BASE_SHA256_H_

#include <array>
#include <cstdint>
#include <string_view>

#include "base/bytes.h"

namespace llma {

using Sha256State = std::array<uint32_t, 8>;

// How blocks of 64 bytes are added to a state.
struct Sha256Code {
  std::string_view name;
  bool (*is_supported)();  // by this processor
  void (*add_blocks)(const uint8_t* blocks, size_t num_blocks,
                     Sha256State& state);
};
// All give the same; the fastest is the last.
std::span<const Sha256Code> AllSha256Code();
// The fastest that this processor runs.
const Sha256Code& BestSha256Code();

class Sha256 {
 public:
  explicit Sha256(const Sha256Code& code = BestSha256Code());
  void Update(Bytes data);
  // Call it once, at the end.
  std::array<uint8_t, 32> Digest();

 private:
  static constexpr size_t kBlockBytes = 64;

  const Sha256Code* code_;
  Sha256State state_;
  std::array<uint8_t, kBlockBytes> rest_;  // [num_bytes_ % kBlockBytes]
  uint64_t num_bytes_ = 0;
};

}  // namespace llma

#endif  // LLMA_BASE_SHA256_H_
