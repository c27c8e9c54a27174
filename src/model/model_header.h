// SPDX-License-Identifier: Apache-2.0
// The header of a .llmm file (docs/MODEL_FILE.md): configuration, names,
// hashes and the directory of sections. One description for reader and writer.
#ifndef LLMA_MODEL_MODEL_HEADER_H_
#define LLMA_MODEL_MODEL_HEADER_H_

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "model/model_config.h"
#include "numerics/linear_weights.h"

namespace llma {

inline constexpr std::string_view kModelMagic = "LLMM";
inline constexpr uint32_t kModelFormatVersion = 0;

// Limits of the content.
inline constexpr uint32_t kMaxTokenBytes = 512;
inline constexpr uint32_t kMaxMerges = 1u << 21;
inline constexpr float kMaxScale = 32;         // 127 * scale < 2^12
inline constexpr float kMaxNormWeight = 1024;  // of the absolute value
inline constexpr size_t kMaxNameBytes = 64;    // name and pre-tokenizer
inline constexpr size_t kMaxLicenseBytes = 256;

// Sections start at a multiple of the alignment; the bytes between them are
// zero and fewer than kMaxPaddingBytes.
inline constexpr size_t kSectionAlignment = 64;
inline constexpr size_t kValuesAlignment = 4096;
inline constexpr size_t kMaxPaddingBytes = 4096;

enum class SectionKind : uint32_t {
  kTokenOffsets = 1,  // [num_tokens + 1] u32
  kTokenBytes = 2,
  kMerges = 3,      // [num_merges, 2] u32
  kRopeSteps = 4,   // [head_dim / 2] u64
  kOutputNorm = 5,  // [dim] f32
  kEmbeddingValues = 6,
  kEmbeddingScales = 7,
  kHeadValues = 8,  // only if not tied
  kHeadScales = 9,
  // Once a layer:
  kAttnNorm = 16,  // [dim] f32
  kQkvValues = 17,
  kQkvScales = 18,
  kAttnOutValues = 19,
  kAttnOutScales = 20,
  kFfnNorm = 21,  // [dim] f32
  kGateUpValues = 22,
  kGateUpScales = 23,
  kFfnDownValues = 24,
  kFfnDownScales = 25,
};

struct Section {
  static constexpr uint32_t kNoLayer = ~uint32_t{0};
  SectionKind kind;
  uint32_t layer;  // kNoLayer for those of the whole model
  uint64_t offset_bytes = 0;
  uint64_t size_bytes = 0;
  uint64_t xxh3 = 0;
};

struct ModelHeader {
  uint64_t header_bytes = 0;  // set by the parser
  uint64_t file_bytes = 0;
  uint32_t importer_version = 0;
  std::array<uint8_t, 32> fingerprint{};
  std::array<uint8_t, 32> source_sha256{};
  ModelConfig config;
  std::string_view name, license, pre_tokenizer;
  std::vector<Section> sections;
};

// The shape of the matrix that a ...Values or ...Scales section belongs to;
// pointers are null.
LinearWeights LinearShape(const ModelConfig& config, SectionKind kind);

// True for sections of int8 values, which are aligned to kValuesAlignment.
bool IsValuesSection(SectionKind kind);

// All sections of a model with a valid `config`, in the order of the file, with
// their sizes; offsets and checksums are 0.
std::vector<Section> ListSections(const ModelConfig& config,
                                  uint64_t token_bytes_size,
                                  uint64_t num_merges);

// The same strings that the parser accepts: 1 to 64 of [a-z0-9._-].
bool IsValidModelName(std::string_view name);
// Printable ASCII, at most `max_bytes`.
bool IsPlainText(std::string_view text, size_t max_bytes);

// Reads and checks the header at the start of `bytes`, which may be cut behind
// it. Does not touch the sections. The views point into `bytes`.
Result<ModelHeader> ParseModelHeader(Bytes bytes);

// The inverse. The size depends only on the strings and num_layers.
std::vector<uint8_t> EncodeModelHeader(const ModelHeader& header);

}  // namespace llma

#endif  // LLMA_MODEL_MODEL_HEADER_H_
