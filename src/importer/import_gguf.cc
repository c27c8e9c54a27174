// SPDX-License-Identifier: Apache-2.0
#include "importer/import_gguf.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "importer/architecture.h"
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
};

Error Unsupported(const std::string& what) {
  return Error{ErrorCode::kUnsupported, what};
}

// All keys of an architecture that the import understands, behind its name and
// a dot. Any other may change what the model computes, so it is refused.
constexpr std::string_view kKnownKeys[] = {
    "attention.head_count",   "attention.head_count_kv",
    "attention.key_length",   "attention.layer_norm_rms_epsilon",
    "attention.value_length", "block_count",
    "context_length",         "embedding_length",
    "feed_forward_length",    "rope.dimension_count",
    "rope.freq_base",         "vocab_size",
};

// Metadata of the architecture, by names without its own.
class Metadata {
 public:
  Metadata(const GgufReader& gguf, const Architecture& architecture)
      : gguf_(gguf), prefix_(std::string(architecture.gguf_name) + ".") {}

  std::string Key(std::string_view name) const {
    return prefix_ + std::string(name);
  }
  bool Has(std::string_view name) const { return gguf_.Has(Key(name)); }
  Result<uint32_t> GetU32(std::string_view name) const {
    return gguf_.GetU32(Key(name));
  }
  Result<float> GetF32(std::string_view name) const {
    return gguf_.GetF32(Key(name));
  }

  Status CheckKeys() const {
    for (const auto& [key, value] : gguf_.values()) {
      if (key.starts_with(prefix_) &&
          std::find(std::begin(kKnownKeys), std::end(kKnownKeys),
                    key.substr(prefix_.size())) == std::end(kKnownKeys)) {
        return Unsupported("metadata " + std::string(key) + " is not known");
      }
    }
    return OkStatus();
  }

 private:
  const GgufReader& gguf_;
  const std::string prefix_;
};

Result<const Architecture*> ReadArchitecture(const GgufReader& gguf) {
  LLMA_ASSIGN(const auto name, gguf.GetString("general.architecture"));
  const Architecture* architecture = FindGgufArchitecture(name);
  if (architecture == nullptr) {
    return Unsupported("architecture " + std::string(name) + " (only " +
                       GgufArchitectureNames() + " can be read)");
  }
  return architecture;
}

Result<ModelConfig> ReadConfig(const GgufReader& gguf,
                               const Architecture& architecture) {
  const Metadata metadata(gguf, architecture);
  LLMA_TRY(metadata.CheckKeys());
  ModelConfig c;
  ApplyArchitecture(architecture, c);
  LLMA_ASSIGN(c.num_layers, metadata.GetU32("block_count"));
  LLMA_ASSIGN(c.dim, metadata.GetU32("embedding_length"));
  LLMA_ASSIGN(c.ffn_dim, metadata.GetU32("feed_forward_length"));
  LLMA_ASSIGN(c.context_length, metadata.GetU32("context_length"));
  LLMA_ASSIGN(c.num_heads, metadata.GetU32("attention.head_count"));
  c.num_kv_heads = c.num_heads;
  if (metadata.Has("attention.head_count_kv")) {
    LLMA_ASSIGN(c.num_kv_heads, metadata.GetU32("attention.head_count_kv"));
  }
  if (c.num_heads == 0) return Unsupported("no attention heads");
  c.head_dim = c.dim / c.num_heads;
  if (metadata.Has("attention.key_length")) {
    LLMA_ASSIGN(c.head_dim, metadata.GetU32("attention.key_length"));
  }
  for (const char* name : {"attention.value_length", "rope.dimension_count"}) {
    if (!metadata.Has(name)) continue;
    LLMA_ASSIGN(const uint32_t size, metadata.GetU32(name));
    if (size != c.head_dim) {
      return Unsupported(metadata.Key(name) + " differs from the key length");
    }
  }
  LLMA_ASSIGN(c.norm_eps, metadata.GetF32("attention.layer_norm_rms_epsilon"));
  c.tied_head = gguf.tensors().count(kNames.head) == 0;
  return c;
}

}  // namespace

Result<Fingerprint> ImportGgufBytes(Bytes file, const std::string& llmm_path,
                                    const ImportOptions& options) {
  LLMA_ASSIGN(const GgufReader gguf, GgufReader::Parse(file));
  LLMA_ASSIGN(const Architecture* architecture, ReadArchitecture(gguf));
  SourceModel source;
  LLMA_ASSIGN(source.config, ReadConfig(gguf, *architecture));
  LLMA_ASSIGN(source.vocabulary, ReadGgufTokens(gguf));
  source.rope_base = 10000;  // what GGUF means by silence
  const Metadata metadata(gguf, *architecture);
  if (metadata.Has("rope.freq_base")) {
    LLMA_ASSIGN(source.rope_base, metadata.GetF32("rope.freq_base"));
  }
  source.has_adjacent_rope_pairs = architecture->has_adjacent_pairs_in_gguf;
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
