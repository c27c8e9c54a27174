// SPDX-License-Identifier: Apache-2.0
// What a model is before it is converted, whatever files it came in: each
// importer makes one of these, and convert_model.h makes a .llmm file of it.
#ifndef LLMA_IMPORTER_SOURCE_MODEL_H_
#define LLMA_IMPORTER_SOURCE_MODEL_H_

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "importer/convert/architecture.h"
#include "importer/convert/low_rank_update.h"
#include "importer/convert/rope_steps.h"
#include "model/model_config.h"

namespace llma {

struct SourceTensor {
  uint32_t type =
      0;  // a TensorType (importer/formats/dequantize.h) if `data` is set
  uint64_t num_rows = 0;
  uint64_t num_cols = 0;  // the fastest dimension
  Bytes data;             // empty if rows of the type cannot be read
  // What an adapter makes of it (adapter.h), if not null: adds to its rows, or
  // stands for its only row.
  const LowRankUpdate* update = nullptr;
  const std::vector<float>* replacement = nullptr;
};

using TensorMap = std::map<std::string, SourceTensor, std::less<>>;

// How a kind of source calls its tensors; those of a layer are
// layer_prefix + number + "." + name.
struct TensorNames {
  const char* embedding;
  const char* output_norm;
  const char* head;
  const char* layer_prefix;
  const char* attn_norm;
  const char* attn_q;
  const char* attn_k;
  const char* attn_v;
  const char* attn_out;
  const char* ffn_norm;
  const char* ffn_gate;
  const char* ffn_up;
  const char* ffn_down;
  // Of architectures that have them:
  const char* q_bias;
  const char* k_bias;
  const char* v_bias;
  const char* q_norm;
  const char* k_norm;
  const char* post_attn_norm;
  const char* post_ffn_norm;
  // Of the whole model, if it is there: what divides the angles of pairs.
  const char* rope_divisors;
};

struct TokenPair {
  std::string_view left;
  std::string_view right;
};

enum class TokenKind : uint8_t {
  kNone,   // of control tokens and the like, which text does not spell
  kText,   // made by merges
  kByte,   // "<0x0A>" for a byte of a character that has no token
  kWhole,  // found in a text before anything is merged
};

// A BPE vocabulary: byte-level, its tokens written as GPT-2 does; or, if the
// pre-tokenizer is kSentencePiece, of characters, with U+2581 for a blank.
struct SourceVocabulary {
  std::vector<std::string_view> tokens;  // by id
  std::vector<TokenKind> kinds;          // by id; the last two: characters only
  std::vector<TokenPair> merges;         // by priority
  // By id, finite: merges follow from them, the highest goes first. Empty if
  // there are merges.
  std::vector<float> scores;
  std::optional<uint32_t> begin_id;
  std::optional<uint32_t> end_id;
  bool starts_with_begin = false;  // streams need it: no new line instead
  std::string_view pre_tokenizer;  // its name in tokenizer/split_patterns.h
};

// Views into files and tables that outlive it.
struct SourceModel {
  const Architecture* architecture = nullptr;
  ModelConfig config;         // the fields of the vocabulary are still open
  RopeSpec rope, local_rope;  // of layers that see everything, of local ones
  float norm_offset = 0;      // added to the weights of norms
  float residual_factor = 1;  // of what sublayers add
  float logit_divisor = 1;
  // The two rows of a RoPE pair of queries or keys: 2 p and 2 p + 1 of a head
  // if true, p and p + head_dim / 2 if false.
  bool has_adjacent_rope_pairs = false;
  SourceVocabulary vocabulary;
  TensorNames names;
  TensorMap tensors;
  std::string_view license;  // may be empty or unprintable
  // What was approximated or left out, a sentence each, without a stop.
  std::vector<std::string> notes;
  std::array<uint8_t, 32> sha256{};
  std::string adapter;  // its name, if one is merged in; else empty
  std::array<uint8_t, 32> adapter_sha256{};
};

// What is done with a source while its files are open.
using SourceUser = std::function<Status(const SourceModel&)>;

}  // namespace llma

#endif  // LLMA_IMPORTER_SOURCE_MODEL_H_
