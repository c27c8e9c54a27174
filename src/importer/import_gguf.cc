// SPDX-License-Identifier: Apache-2.0
#include "importer/import_gguf.h"

#include <string>

#include "base/fp_env.h"
#include "importer/gguf_config.h"
#include "importer/gguf_keys.h"
#include "importer/gguf_reader.h"
#include "importer/gguf_tokens.h"
#include "importer/sha256.h"
#include "importer/source_model.h"

namespace llma {
namespace {

constexpr TensorNames kNames = {
    .embedding = "token_embd.weight",
    .output_norm = "output_norm.weight",
    .head = "output.weight",
    .layer_prefix = "blk.",
    .attn_norm = "attn_norm.weight",
    .attn_q = "attn_q.weight",
    .attn_k = "attn_k.weight",
    .attn_v = "attn_v.weight",
    .attn_out = "attn_output.weight",
    .ffn_norm = "ffn_norm.weight",
    .ffn_gate = "ffn_gate.weight",
    .ffn_up = "ffn_up.weight",
    .ffn_down = "ffn_down.weight",
    .q_bias = "attn_q.bias",
    .k_bias = "attn_k.bias",
    .v_bias = "attn_v.bias",
    .q_norm = "attn_q_norm.weight",
    .k_norm = "attn_k_norm.weight",
    .post_attn_norm = "post_attention_norm.weight",
    .post_ffn_norm = "post_ffw_norm.weight",
    .rope_divisors = "rope_freqs.weight",
};

constexpr std::string_view kNumPartsKey = "split.count";

}  // namespace

Status ReadGguf(Bytes file, const SourceUser& use) {
  const FpEnvGuard fp_env;
  LLMA_ASSIGN(const GgufReader gguf, GgufReader::Parse(file));
  if (const auto num_parts = gguf.GetU32(kNumPartsKey);
      num_parts && *num_parts > 1) {
    return Error{ErrorCode::kUnsupported,
                 "is one of " + std::to_string(*num_parts) +
                     " parts of a model: join them first, as `llama-gguf-split "
                     "--merge` of llama.cpp does"};
  }
  SourceModel source;
  LLMA_ASSIGN(source.vocabulary, ReadGgufTokens(gguf, source.notes));
  LLMA_TRY(ReadGgufConfig(gguf, source));
  source.config.tied_head = gguf.tensors().count(kNames.head) == 0;
  if (gguf.Has("general.license")) {
    LLMA_ASSIGN(source.license, gguf.GetString("general.license"));
  }
  source.names = kNames;
  source.tensors = gguf.tensors();
  std::erase_if(source.tensors, [](const auto& entry) {
    return IsTensorOfOtherSenses(entry.first);
  });
  Sha256 hash;
  hash.Update(file);
  LLMA_ASSIGN(source.sha256, hash.Digest());
  return use(source);
}

Result<Fingerprint> ImportGgufBytes(Bytes file, const std::string& llmm_path,
                                    const ImportOptions& options) {
  Fingerprint fingerprint;
  const auto convert = [&](const SourceModel& source) -> Status {
    TellNotes(source, options);
    LLMA_ASSIGN(fingerprint, ConvertModel(source, llmm_path, options));
    return OkStatus();
  };
  LLMA_TRY(ReadGguf(file, convert));
  return fingerprint;
}

}  // namespace llma
