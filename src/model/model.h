// SPDX-License-Identifier: Apache-2.0
// A model in memory: views into a mapped .llmm file (docs/MODEL_FILE.md), every
// size, bound and checksum verified when it is opened. Where memory has the
// highest byte of a number first, all but the matrices' int8 values are copied.
#ifndef LLMA_MODEL_MODEL_H_
#define LLMA_MODEL_MODEL_H_

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/aligned_buffer.h"
#include "base/bytes.h"
#include "base/status.h"
#include "model/model_config.h"
#include "numerics/linear_weights.h"
#include "platform/mapped_file.h"

namespace llma {

// One transformer layer. Linear maps are y = W x.
struct LayerWeights {
  std::span<const float> attn_norm;  // [dim]
  LinearWeights qkv;  // [q_dim + 2 * kv_dim, dim]: q rows, k rows, v rows;
                      // within a q or k head, dims i and i + head_dim/2
                      // are a RoPE pair
  // Empty if the configuration does not have them:
  std::span<const float> qkv_bias;        // [q_dim + 2 * kv_dim]
  std::span<const float> q_norm, k_norm;  // [head_dim]
  LinearWeights attn_out;                 // [dim, q_dim]
  std::span<const float> post_attn_norm;  // [dim], or empty
  std::span<const float> ffn_norm;        // [dim]
  LinearWeights gate_up;   // [2 * ffn_dim, dim]: gate rows, then up rows
  LinearWeights ffn_down;  // [dim, ffn_dim]
  std::span<const float> post_ffn_norm;  // [dim], or empty
};

// The byte strings that the head can predict, sorted, each once.
class TokenTable {
 public:
  TokenTable() = default;
  // offsets: [num_tokens + 1] into bytes.
  TokenTable(std::span<const uint32_t> offsets, Bytes bytes)
      : offsets_(offsets), bytes_(bytes) {}
  uint32_t num_tokens() const {
    return offsets_.empty() ? 0 : static_cast<uint32_t>(offsets_.size() - 1);
  }
  // token < num_tokens(). Never empty.
  Bytes spelling(uint32_t token) const {
    return bytes_.subspan(offsets_[token],
                          offsets_[token + 1] - offsets_[token]);
  }

 private:
  std::span<const uint32_t> offsets_;
  Bytes bytes_;
};

// What a BPE tokenizer needs beside the token table.
struct TokenizerSpec {
  std::string_view pre_tokenizer;  // name in the table of split patterns
  // merges: [num_merges, 2], the left and the right token, by priority.
  std::span<const uint32_t> merges;
};

using Fingerprint = std::array<uint8_t, 32>;  // SHA-256

// Immutable after opening; thread-safe.
class Model {
 public:
  // Maps and verifies a file.
  static Result<std::unique_ptr<Model>> Open(const std::string& path);
  // The same for bytes in memory (64-byte aligned), which must outlive the
  // model.
  static Result<std::unique_ptr<Model>> FromBytes(Bytes bytes);

  const ModelConfig& config() const { return config_; }
  const LayerWeights& layer(uint32_t i) const { return layers_[i]; }
  const LinearWeights& embedding() const { return embedding_; }
  // The first num_tokens rows are used.
  const LinearWeights& head() const {
    return config_.tied_head ? embedding_ : head_;
  }
  std::span<const float> output_norm() const { return output_norm_; }
  // RoPE: turns (units of 2^-64) that pair i advances by a position,
  // [head_dim / 2].
  std::span<const uint64_t> rope_steps() const { return rope_steps_; }
  // Those of local layers; empty if there are none.
  std::span<const uint64_t> local_rope_steps() const {
    return local_rope_steps_;
  }
  const TokenTable& tokens() const { return tokens_; }
  const TokenizerSpec& tokenizer() const { return tokenizer_; }

  // All of its file.
  Bytes file_bytes() const { return file_bytes_; }
  std::string_view name() const { return name_; }  // "smollm2-135m-instruct"
  std::string_view license() const { return license_; }
  const Fingerprint& fingerprint() const { return fingerprint_; }
  const Fingerprint& source_sha256() const { return source_sha256_; }
  uint32_t importer_version() const { return importer_version_; }
  // The adapter that was merged in, by name; empty if there was none.
  std::string_view adapter() const { return adapter_; }
  const Fingerprint& adapter_sha256() const { return adapter_sha256_; }

  // Expires with the model, so that what is kept for it can be distinguished
  // from what was for another one at the same address.
  std::weak_ptr<const void> life() const { return life_; }

 private:
  Model() = default;
  Status Parse(Bytes bytes);

  MappedFile file_;
  Bytes file_bytes_;
  // Sections in memory's order of bytes, where that is not the file's.
  std::vector<AlignedBuffer<uint8_t>> copies_;
  ModelConfig config_;
  std::vector<LayerWeights> layers_;
  LinearWeights embedding_, head_;
  std::span<const float> output_norm_;
  std::span<const uint64_t> rope_steps_, local_rope_steps_;
  TokenTable tokens_;
  TokenizerSpec tokenizer_;
  std::string_view name_, license_, adapter_;
  Fingerprint fingerprint_{}, source_sha256_{}, adapter_sha256_{};
  uint32_t importer_version_ = 0;
  std::shared_ptr<const void> life_ = std::make_shared<char>();
};

}  // namespace llma

#endif  // LLMA_MODEL_MODEL_H_
