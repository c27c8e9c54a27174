// SPDX-License-Identifier: Apache-2.0
// Models that `llma model pull NAME` knows, and where they are.
#ifndef LLMA_STORE_MODEL_CATALOG_H_
#define LLMA_STORE_MODEL_CATALOG_H_

#include <cstdint>
#include <span>
#include <string_view>

#include "base/bytes.h"
#include "importer/convert/adapter.h"
#include "store/package_index.h"

namespace llma::store {

// What of an entry we have seen to be true.
enum class Verified : uint8_t {
  kFile,     // we had the file: its size, SHA-256 and fingerprint hold
  kNothing,  // repository and file are as people name them, not fetched
};

struct CatalogEntry {
  std::string_view name;
  std::string_view repository;  // on Hugging Face
  std::string_view file;        // of GGUF; empty: the repository as a folder
  std::string_view revision;
  std::string_view license;
  Verified verified;
  // These only with kFile; else 0 and empty, and the host says what it has.
  uint64_t size_bytes;
  std::string_view sha256;
  // Of the model that an import of that file gives, in hexadecimal.
  std::string_view fingerprint;
  // Where the same file is as well; may be null.
  const PackageFile* package = nullptr;
  // What is merged into it; null: nothing.
  const PeftFiles& (*adapter)() = nullptr;
};

std::span<const CatalogEntry> Catalog();

// Null if there is none. "default" is the default model.
const CatalogEntry* FindCatalogName(
    std::string_view name, std::span<const CatalogEntry> catalog = Catalog());
// id: the first bytes of a fingerprint, at most as many as an entry has.
const CatalogEntry* FindCatalogFingerprint(Bytes id);

}  // namespace llma::store

#endif  // LLMA_STORE_MODEL_CATALOG_H_
