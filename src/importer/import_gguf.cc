// SPDX-License-Identifier: Apache-2.0
#include "importer/import_gguf.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include "base/file_io.h"
#include "base/fp_env.h"
#include "importer/gguf_reader.h"
#include "importer/llmm_writer.h"
#include "importer/quantize_weights.h"
#include "importer/rope_steps.h"
#include "importer/sha256.h"
#include "importer/tensor_reader.h"
#include "importer/vocabulary.h"
#include "tokenizer/split_patterns.h"

namespace llma {
namespace {

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

Result<ModelConfig> ReadConfig(const GgufReader& gguf, const TensorReader& in,
                               const Vocabulary& vocabulary) {
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
  c.num_tokens = vocabulary.num_tokens;
  c.num_rows = static_cast<uint32_t>(vocabulary.ids.size());
  c.start_row = vocabulary.start_row;
  c.tied_head = !in.Has("output.weight");
  LLMA_TRY(ValidateModelConfig(c));
  return c;
}

// One matrix after the other, from the source to the file.
class ModelCopier {
 public:
  ModelCopier(const ModelConfig& config, const Vocabulary& vocabulary,
              TensorReader& in, LlmmWriter& out)
      : config_(config), vocabulary_(vocabulary), in_(in), out_(out) {}

  Status CopyAll() {
    LLMA_TRY(CopyNorm("output_norm.weight"));
    LLMA_TRY(CopyByToken("token_embd.weight", config_.num_rows));
    if (!config_.tied_head) {
      LLMA_TRY(CopyByToken("output.weight", config_.num_tokens));
    }
    for (uint32_t i = 0; i < config_.num_layers; ++i) {
      const std::string layer = "blk." + std::to_string(i) + ".";
      LLMA_TRY(CopyNorm(layer + "attn_norm.weight"));
      LLMA_TRY(CopyQkv(layer));
      LLMA_TRY(CopyStacked({layer + "attn_output.weight"}, config_.dim,
                           config_.q_dim()));
      LLMA_TRY(CopyNorm(layer + "ffn_norm.weight"));
      LLMA_TRY(CopyStacked({layer + "ffn_gate.weight", layer + "ffn_up.weight"},
                           config_.ffn_dim, config_.dim));
      LLMA_TRY(CopyStacked({layer + "ffn_down.weight"}, config_.dim,
                           config_.ffn_dim));
    }
    return OkStatus();
  }

 private:
  Status CopyNorm(const std::string& name) {
    LLMA_ASSIGN(const auto weights, in_.ReadNorm(name, config_.dim));
    return out_.AddNorm(weights);
  }

  // A row a token, in the order of our rows.
  Status CopyByToken(const std::string& name, uint32_t num_rows) {
    LLMA_ASSIGN(const GgufTensor* tensor, in_.Find(name, 0, config_.dim));
    const auto& ids = vocabulary_.ids;
    if (*std::max_element(ids.begin(), ids.end()) >= tensor->num_rows) {
      return Unsupported("tensor " + name + " has fewer rows than tokens");
    }
    PackedMatrix matrix(num_rows, config_.dim);
    LLMA_TRY(in_.ReadRows(
        name, *tensor, num_rows, [&](uint32_t i) { return ids[i]; }, 0,
        matrix));
    return out_.AddLinear(matrix.view());
  }

  // Tensors of num_rows rows each, one below the other.
  Status CopyStacked(const std::vector<std::string>& names, uint32_t num_rows,
                     uint32_t num_cols) {
    std::vector<const GgufTensor*> tensors;
    for (const std::string& name : names) {
      LLMA_ASSIGN(const GgufTensor* tensor, in_.Find(name, num_rows, num_cols));
      tensors.push_back(tensor);
    }
    // Only now, when the source is known to be as large.
    const auto num_tensors = static_cast<uint32_t>(tensors.size());
    PackedMatrix matrix(num_tensors * num_rows, num_cols);
    const auto same = [](uint32_t i) { return i; };
    for (uint32_t i = 0; i < num_tensors; ++i) {
      LLMA_TRY(in_.ReadRows(names[i], *tensors[i], num_rows, same, i * num_rows,
                            matrix));
    }
    return out_.AddLinear(matrix.view());
  }

  // GGUF keeps RoPE pairs of a head in rows 2 p and 2 p + 1; ours are in rows
  // p and p + head_dim / 2.
  Status CopyQkv(const std::string& layer) {
    const uint32_t head_dim = config_.head_dim;
    const auto paired = [head_dim](uint32_t i) {
      const uint32_t dim = i % head_dim;
      const uint32_t half = head_dim / 2;
      return i - dim + (dim < half ? 2 * dim : 2 * (dim - half) + 1);
    };
    const auto same = [](uint32_t i) { return i; };
    const std::string q = layer + "attn_q.weight";
    const std::string k = layer + "attn_k.weight";
    const std::string v = layer + "attn_v.weight";
    const uint32_t q_dim = config_.q_dim();
    const uint32_t kv_dim = config_.kv_dim();
    LLMA_ASSIGN(const auto* q_tensor, in_.Find(q, q_dim, config_.dim));
    LLMA_ASSIGN(const auto* k_tensor, in_.Find(k, kv_dim, config_.dim));
    LLMA_ASSIGN(const auto* v_tensor, in_.Find(v, kv_dim, config_.dim));
    PackedMatrix matrix(config_.qkv_dim(), config_.dim);
    LLMA_TRY(in_.ReadRows(q, *q_tensor, q_dim, paired, 0, matrix));
    LLMA_TRY(in_.ReadRows(k, *k_tensor, kv_dim, paired, q_dim, matrix));
    LLMA_TRY(in_.ReadRows(v, *v_tensor, kv_dim, same, q_dim + kv_dim, matrix));
    return out_.AddLinear(matrix.view());
  }

  const ModelConfig& config_;
  const Vocabulary& vocabulary_;
  TensorReader& in_;
  LlmmWriter& out_;
};

}  // namespace

std::string ModelNameFromPath(const std::string& gguf_path) {
  std::string name = gguf_path.substr(gguf_path.find_last_of('/') + 1);
  for (char& c : name) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto cut_at = [&name](size_t pos) {
    if (pos != std::string::npos) name.resize(pos);
  };
  if (name.size() > 5 && name.compare(name.size() - 5, 5, ".gguf") == 0) {
    cut_at(name.size() - 5);
  }
  // The quantisation at the end: ".q4_1", "-q8_0", ".f16", "-bf16".
  const size_t separator = name.find_last_of(".-");
  if (separator != std::string::npos) {
    const std::string_view last = std::string_view(name).substr(separator + 1);
    if ((last.size() >= 2 && last[0] == 'q' && last[1] >= '0' &&
         last[1] <= '9') ||
        last == "f16" || last == "f32" || last == "bf16") {
      cut_at(separator);
    }
  }
  for (char& c : name) {
    if (!IsValidModelName(std::string_view(&c, 1))) c = '-';
  }
  cut_at(kMaxNameBytes < name.size() ? kMaxNameBytes : std::string::npos);
  return name;
}

Result<Fingerprint> ImportGgufBytes(Bytes source, const std::string& llmm_path,
                                    const ImportOptions& options) {
  const FpEnvGuard fp_env;
  LLMA_ASSIGN(const GgufReader gguf, GgufReader::Parse(source));
  LLMA_TRY(CheckKeys(gguf));
  LLMA_ASSIGN(const Vocabulary vocabulary,
              ReadVocabulary(gguf, options.start_token));
  TensorReader in(gguf);
  ModelHeader header;
  header.importer_version = kImporterVersion;
  header.name = options.name;
  LLMA_ASSIGN(header.config, ReadConfig(gguf, in, vocabulary));
  LLMA_ASSIGN(header.pre_tokenizer, gguf.GetString("tokenizer.ggml.pre"));
  if (FindSplitPattern(header.pre_tokenizer) == nullptr) {
    return Unsupported("pre-tokenizer " + std::string(header.pre_tokenizer));
  }
  if (gguf.Has("general.license")) {
    LLMA_ASSIGN(header.license, gguf.GetString("general.license"));
    // It is for people to read, no reason to refuse a model.
    if (!IsPlainText(header.license, kMaxLicenseBytes)) header.license = {};
  }
  float rope_base = 10000;  // what GGUF means by silence
  if (gguf.Has("llama.rope.freq_base")) {
    LLMA_ASSIGN(rope_base, gguf.GetF32("llama.rope.freq_base"));
  }
  LLMA_ASSIGN(const auto rope_steps,
              ComputeRopeSteps(rope_base, header.config.head_dim));
  Sha256 source_hash;
  source_hash.Update(source);
  LLMA_ASSIGN(header.source_sha256, source_hash.Digest());

  LLMA_ASSIGN(LlmmWriter out,
              LlmmWriter::Create(llmm_path, options.overwrite, header));
  LLMA_TRY(out.AddTokenizer(vocabulary.offsets, vocabulary.bytes,
                            vocabulary.merges));
  LLMA_TRY(out.AddRopeSteps(rope_steps));
  LLMA_TRY(ModelCopier(header.config, vocabulary, in, out).CopyAll());
  LLMA_TRY(in.CheckAllFound());
  return out.Finish();
}

Result<Fingerprint> ImportGguf(const std::string& gguf_path,
                               const std::string& llmm_path,
                               const ImportOptions& options) {
  LLMA_ASSIGN(const MappedFile file, MappedFile::Open(gguf_path));
  ImportOptions named = options;
  if (named.name.empty()) named.name = ModelNameFromPath(gguf_path);
  auto fingerprint = ImportGgufBytes(file.bytes(), llmm_path, named);
  if (!fingerprint) {
    return Error{fingerprint.error().code,
                 gguf_path + ": " + fingerprint.error().what,
                 fingerprint.error().offset};
  }
  return fingerprint;
}

}  // namespace llma
