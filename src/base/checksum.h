// SPDX-License-Identifier: Apache-2.0
// XXH3: detects damage in frames and tensors. Not a defence against forgery.
#ifndef LLMA_BASE_CHECKSUM_H_
#define LLMA_BASE_CHECKSUM_H_

#include <cstdint>
#include <memory>

#include "base/bytes.h"

namespace llma {

// XXH3, 64 bits, seed 0, of a whole buffer.
uint64_t Xxh3(Bytes data);

// The same over a content that arrives in pieces.
class Xxh3Stream {
 public:
  Xxh3Stream();
  ~Xxh3Stream();
  Xxh3Stream(Xxh3Stream&&) noexcept;
  Xxh3Stream& operator=(Xxh3Stream&&) noexcept;
  void Update(Bytes data);
  uint64_t Digest() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace llma

#endif  // LLMA_BASE_CHECKSUM_H_
