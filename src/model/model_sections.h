// SPDX-License-Identifier: Apache-2.0
// The sections of a .llmm file (docs/MODEL_FILE.md): which there are, in which
// order, and how large each is.
#ifndef LLMA_MODEL_MODEL_SECTIONS_H_
#define LLMA_MODEL_MODEL_SECTIONS_H_

#include <cstddef>
#include <cstdint>
#include <vector>

#include "model/model_config.h"
#include "numerics/linear_weights.h"

namespace llma {

// Sections start at a multiple of the alignment; the bytes between them are
// zero and fewer than kMaxPaddingBytes.
inline constexpr size_t kSectionAlignment = 64;
inline constexpr size_t kValuesAlignment = 4096;
inline constexpr size_t kMaxPaddingBytes = 4096;

inline constexpr size_t kMergeBytes = 2 * sizeof(uint32_t);

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
  kLocalRopeSteps = 10,  // [head_dim / 2] u64; only if there are local layers
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
  kQkvBias = 26,       // [qkv_dim] f32; only if the configuration says so,
  kQueryNorm = 27,     // [head_dim] f32; like all that follow
  kKeyNorm = 28,       // [head_dim] f32
  kPostAttnNorm = 29,  // [dim] f32
  kPostFfnNorm = 30,   // [dim] f32
};

struct Section {
  static constexpr uint32_t kNoLayer = ~uint32_t{0};
  SectionKind kind;
  uint32_t layer;  // kNoLayer for those of the whole model
  uint64_t offset_bytes = 0;
  uint64_t size_bytes = 0;
  uint64_t xxh3 = 0;
};

// The shape of the matrix that a ...Values or ...Scales section belongs to;
// pointers are null.
LinearWeights LinearShape(const ModelConfig& config, SectionKind kind);

// How many floats a section of a layer's norm or biases holds.
uint32_t NumFloats(const ModelConfig& config, SectionKind kind);

// The scales that belong to a section of values.
constexpr SectionKind ScalesOf(SectionKind values) {
  return static_cast<SectionKind>(static_cast<uint32_t>(values) + 1);
}

// True for sections of int8 values, which are aligned to kValuesAlignment.
bool IsValuesSection(SectionKind kind);

// All sections of a model with a valid `config`, in the order of the file, with
// their sizes; offsets and checksums are 0.
std::vector<Section> ListSections(const ModelConfig& config,
                                  uint64_t token_bytes_size,
                                  uint64_t num_merges);

}  // namespace llma

#endif  // LLMA_MODEL_MODEL_SECTIONS_H_
