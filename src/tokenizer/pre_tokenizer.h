// SPDX-License-Identifier: Apache-2.0
// Cuts text into the pieces within which byte pairs are merged.
#ifndef LLMA_TOKENIZER_PRE_TOKENIZER_H_
#define LLMA_TOKENIZER_PRE_TOKENIZER_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "tokenizer/split_patterns.h"

namespace llma {

// A pattern sees at most this many bytes from the start of a piece, so pieces
// are no longer. This bounds the time of one match, and keeps matching far
// from PCRE2's limits, which differ between machines and versions.
inline constexpr size_t kMaxPieceBytes = 4096;

// Thread-safe.
class PreTokenizer {
 public:
  // use_jit false: PCRE2's interpreter, for tests and machines without JIT.
  static Result<PreTokenizer> Create(const SplitPattern& pattern,
                                     bool use_jit = true);
  ~PreTokenizer();
  PreTokenizer(PreTokenizer&&) noexcept;

  // Lengths of the pieces, in order; they cover any bytes exactly. Bytes that
  // are not UTF-8 form pieces of their own.
  std::vector<uint32_t> Split(Bytes text) const;

 private:
  struct Stages;
  explicit PreTokenizer(std::unique_ptr<Stages> stages);
  std::unique_ptr<Stages> stages_;
};

}  // namespace llma

#endif  // LLMA_TOKENIZER_PRE_TOKENIZER_H_
