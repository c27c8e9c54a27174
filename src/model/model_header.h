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
#include "model/model_sections.h"

namespace llma {

inline constexpr std::string_view kModelMagic = "LLMM";
inline constexpr uint32_t kModelFormatVersion = 0;

// Limits of the content.
inline constexpr uint32_t kMaxTokenBytes = 512;
inline constexpr uint32_t kMaxMerges = 1u << 21;
inline constexpr float kMaxScale = 32;          // 127 * scale < 2^12
inline constexpr float kMaxNormWeight = 65536;  // of the absolute value
inline constexpr float kMaxBias = 1 << 16;      // of the absolute value
inline constexpr size_t kMaxNameBytes = 64;     // name and pre-tokenizer
inline constexpr size_t kMaxLicenseBytes = 256;
inline constexpr size_t kMaxAdapterNameBytes = 256;

struct ModelHeader {
  uint64_t header_bytes = 0;  // set by the parser
  uint64_t file_bytes = 0;
  uint32_t importer_version = 0;
  std::array<uint8_t, 32> fingerprint{};
  std::array<uint8_t, 32> source_sha256{};
  ModelConfig config;
  std::string_view name, license, pre_tokenizer;
  std::vector<Section> sections;
  // The adapter that was merged in: printable, at most kMaxAdapterNameBytes.
  // Empty if there was none.
  std::string_view adapter;
  std::array<uint8_t, 32> adapter_sha256{};
};

// The same strings that the parser accepts: 1 to 64 of [a-z0-9._-].
bool IsValidModelName(std::string_view name);
// Whether a model may be called so from now on: valid, and neither a word that
// stands for models ("auto", "default"), nor a folder, nor the name of a file.
bool IsNewModelName(std::string_view name);
inline constexpr char kNewModelNames[] =
    "1 to 64 of a-z, 0-9, . _ -; not auto, default, . or .., nor with .llmm "
    "at its end";
// Printable ASCII, at most `max_bytes`.
bool IsPlainText(std::string_view text, size_t max_bytes);

// Reads and checks the header at the start of `bytes`, which may be cut after
// it. Does not touch the sections. The views point into `bytes`.
Result<ModelHeader> ParseModelHeader(Bytes bytes);

// The configuration as it stands in the header.
void StoreModelConfig(const ModelConfig& config, ByteWriter& out);

// The inverse of parsing. The size depends only on the strings and the
// configuration.
std::vector<uint8_t> EncodeModelHeader(const ModelHeader& header);

}  // namespace llma

#endif  // LLMA_MODEL_MODEL_HEADER_H_
