// SPDX-License-Identifier: Apache-2.0
// Hashes of contexts: fast, equal on every machine, not for security.
#ifndef LLMA_CM_HASHING_H_
#define LLMA_CM_HASHING_H_

#include <cstdint>

namespace llma::cm {

// A mask of the last n bytes of a history, n below 8.
constexpr uint64_t LowBytes(int n) { return (uint64_t{1} << (8 * n)) - 1; }

// 32 well-mixed bits of a 64-bit value and a small salt.
inline uint32_t Hash(uint64_t value, uint32_t salt) {
  uint64_t h = (value + salt * 0x9e3779b97f4a7c15u) * 0xd6e8feb86659fd93u;
  h ^= h >> 32;
  h *= 0xc2b2ae3d27d4eb4fu;
  return static_cast<uint32_t>(h >> 32);
}

// Joins two hashes, or a hash and a value.
inline uint32_t Combine(uint32_t hash, uint32_t value) {
  return Hash(static_cast<uint64_t>(hash) << 32 | value, 1);
}

// From a context's hash to that of its second nibble. partial: the bits of
// the byte so far, after a leading 1.
inline uint32_t HashNibble(uint32_t hash, uint32_t partial) {
  const uint64_t h =
      (static_cast<uint64_t>(hash) << 8 | partial) * 0x9e3779b97f4a7c15u;
  return static_cast<uint32_t>(h >> 32);
}

}  // namespace llma::cm

#endif  // LLMA_CM_HASHING_H_
