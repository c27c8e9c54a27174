// SPDX-License-Identifier: Apache-2.0
#include "importer/import_gguf.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "importer/gguf_reader.h"
#include "importer/sha256.h"
#include "importer/source_model.h"
#include "importer/vocabulary.h"

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
};

constexpr uint32_t kNormalToken = 1;  // of tokenizer.ggml.token_type

Error Unsupported(const std::string& what) {
  return Error{ErrorCode::kUnsupported, what};
}

// All keys of the architecture that the import understands. Any other may
// change what the model computes, so it is refused.
constexpr std::string_view kKnownKeys[] = {
    "llama.attention.head_count",   "llama.attention.head_count_kv",
    "llama.attention.key_length",   "llama.attention.layer_norm_rms_epsilon",
    "llama.attention.value_length", "llama.block_count",
    "llama.context_length",         "llama.embedding_length",
    "llama.feed_forward_length",    "llama.rope.dimension_count",
    "llama.rope.freq_base",         "llama.vocab_size",
};

Status CheckKeys(const GgufReader& gguf) {
  LLMA_ASSIGN(const auto architecture, gguf.GetString("general.architecture"));
  if (architecture != "llama") {
    return Unsupported("architecture " + std::string(architecture) +
                       " (only llama can be read)");
  }
  LLMA_ASSIGN(const auto tokenizer, gguf.GetString("tokenizer.ggml.model"));
  if (tokenizer != "gpt2") {
    return Unsupported("tokenizer " + std::string(tokenizer) +
                       " (only gpt2, byte-level BPE, can be read)");
  }
  for (const auto& [key, value] : gguf.values()) {
    if (key.substr(0, 6) == "llama." &&
        std::find(std::begin(kKnownKeys), std::end(kKnownKeys), key) ==
            std::end(kKnownKeys)) {
      return Unsupported("metadata " + std::string(key) + " is not known");
    }
  }
  return OkStatus();
}

Result<ModelConfig> ReadConfig(const GgufReader& gguf) {
  ModelConfig c;
  LLMA_ASSIGN(c.num_layers, gguf.GetU32("llama.block_count"));
  LLMA_ASSIGN(c.dim, gguf.GetU32("llama.embedding_length"));
  LLMA_ASSIGN(c.ffn_dim, gguf.GetU32("llama.feed_forward_length"));
  LLMA_ASSIGN(c.context_length, gguf.GetU32("llama.context_length"));
  LLMA_ASSIGN(c.num_heads, gguf.GetU32("llama.attention.head_count"));
  c.num_kv_heads = c.num_heads;
  if (gguf.Has("llama.attention.head_count_kv")) {
    LLMA_ASSIGN(c.num_kv_heads, gguf.GetU32("llama.attention.head_count_kv"));
  }
  if (c.num_heads == 0) return Unsupported("no attention heads");
  c.head_dim = c.dim / c.num_heads;
  if (gguf.Has("llama.attention.key_length")) {
    LLMA_ASSIGN(c.head_dim, gguf.GetU32("llama.attention.key_length"));
  }
  for (const char* key :
       {"llama.attention.value_length", "llama.rope.dimension_count"}) {
    if (!gguf.Has(key)) continue;
    LLMA_ASSIGN(const uint32_t size, gguf.GetU32(key));
    if (size != c.head_dim) {
      return Unsupported(std::string(key) + " differs from the key length");
    }
  }
  LLMA_ASSIGN(c.norm_eps,
              gguf.GetF32("llama.attention.layer_norm_rms_epsilon"));
  c.tied_head = gguf.tensors().count(kNames.head) == 0;
  return c;
}

Result<SourceVocabulary> ReadTokens(const GgufReader& gguf) {
  SourceVocabulary v;
  LLMA_ASSIGN(v.tokens, gguf.GetStrings("tokenizer.ggml.tokens"));
  LLMA_ASSIGN(const auto types, gguf.GetU32s("tokenizer.ggml.token_type"));
  for (const uint32_t type : types) v.is_text.push_back(type == kNormalToken);
  LLMA_ASSIGN(const auto merges, gguf.GetStrings("tokenizer.ggml.merges"));
  for (const std::string_view merge : merges) {
    LLMA_ASSIGN(const TokenPair pair, SplitMerge(merge));
    v.merges.push_back(pair);
  }
  constexpr std::string_view kBeginKey = "tokenizer.ggml.bos_token_id";
  constexpr std::string_view kEndKey = "tokenizer.ggml.eos_token_id";
  if (gguf.Has(kBeginKey)) {
    LLMA_ASSIGN(v.begin_id, gguf.GetU32(kBeginKey));
  }
  if (gguf.Has(kEndKey)) {
    LLMA_ASSIGN(v.end_id, gguf.GetU32(kEndKey));
  }
  LLMA_ASSIGN(v.pre_tokenizer, gguf.GetString("tokenizer.ggml.pre"));
  return v;
}

}  // namespace

Result<Fingerprint> ImportGgufBytes(Bytes file, const std::string& llmm_path,
                                    const ImportOptions& options) {
  LLMA_ASSIGN(const GgufReader gguf, GgufReader::Parse(file));
  LLMA_TRY(CheckKeys(gguf));
  SourceModel source;
  LLMA_ASSIGN(source.config, ReadConfig(gguf));
  LLMA_ASSIGN(source.vocabulary, ReadTokens(gguf));
  source.rope_base = 10000;  // what GGUF means by silence
  if (gguf.Has("llama.rope.freq_base")) {
    LLMA_ASSIGN(source.rope_base, gguf.GetF32("llama.rope.freq_base"));
  }
  source.has_adjacent_rope_pairs = true;
  if (gguf.Has("general.license")) {
    LLMA_ASSIGN(source.license, gguf.GetString("general.license"));
  }
  source.names = kNames;
  source.tensors = gguf.tensors();
  Sha256 hash;
  hash.Update(file);
  LLMA_ASSIGN(source.sha256, hash.Digest());
  return ConvertModel(source, llmm_path, options);
}

}  // namespace llma
