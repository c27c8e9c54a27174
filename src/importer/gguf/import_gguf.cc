// SPDX-License-Identifier: Apache-2.0
#include "importer/gguf/import_gguf.h"

#include <string>

#include "base/sha256.h"
#include "importer/convert/tensor_names.h"
#include "importer/gguf/gguf_config.h"
#include "importer/gguf/gguf_keys.h"
#include "importer/gguf/gguf_reader.h"
#include "importer/gguf/gguf_tokens.h"
#include "importer/source_model.h"

namespace llma {
namespace {

constexpr std::string_view kNumPartsKey = "split.count";
constexpr std::string_view kTypeKey = "general.type";

}  // namespace

Status ReadGguf(Bytes file, const SourceUser& use) {
  LLMA_ASSIGN(const GgufReader gguf, GgufReader::Parse(file));
  if (const auto num_parts = gguf.GetU32(kNumPartsKey);
      num_parts && *num_parts > 1) {
    return Error{ErrorCode::kUnsupported,
                 "is one of " + std::to_string(*num_parts) +
                     " parts of a model: join them first, as `llama-gguf-split "
                     "--merge` of llama.cpp does"};
  }
  if (const auto type = gguf.GetString(kTypeKey); type && *type != "model") {
    return Error{ErrorCode::kUnsupported,
                 "is no language model: its " + std::string(kTypeKey) + " is " +
                     std::string(*type) +
                     (*type == "adapter" ? ": --adapter takes it, with the "
                                           "model that it changes"
                                         : "")};
  }
  SourceModel source;
  LLMA_ASSIGN(source.vocabulary, ReadGgufTokens(gguf, source.notes));
  LLMA_TRY(ReadGgufConfig(gguf, source));
  source.names = GgufTensorNames();
  source.config.tied_head = gguf.tensors().count(source.names.head) == 0;
  if (const auto license = gguf.GetString("general.license")) {
    source.license = *license;
  }
  source.tensors = gguf.tensors();
  std::erase_if(source.tensors, [](const auto& entry) {
    return IsTensorOfOtherSenses(entry.first);
  });
  Sha256 hash;
  hash.Update(file);
  source.sha256 = hash.Digest();
  return use(source);
}

Result<Fingerprint> ImportGgufBytes(Bytes file, const std::string& llmm_path,
                                    const ImportOptions& options) {
  return ConvertSource(
      [&](const SourceUser& use) { return ReadGguf(file, use); }, llmm_path,
      options);
}

}  // namespace llma
