// SPDX-License-Identifier: Apache-2.0
// The documents that say how files and models are read, and a decoder in Python
// that follows them, compiled in, so that they can be put beside what they
// describe.
#ifndef LLMA_STORE_DOCUMENTS_H_
#define LLMA_STORE_DOCUMENTS_H_

#include <span>
#include <string_view>

namespace llma::store {

struct Document {
  std::string_view name;  // "FORMAT.md", "reference/decode.py"
  std::string_view text;
};

std::span<const Document> Documents();

}  // namespace llma::store

#endif  // LLMA_STORE_DOCUMENTS_H_
