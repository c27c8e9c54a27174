// SPDX-License-Identifier: Apache-2.0
// Opens .llmm files (docs/MODEL_FILE.md). The content may be hostile: whoever
// makes a file can also make its checksums, so besides these every value that
// the arithmetic relies on is checked.
#include <algorithm>
#include <bit>
#include <cstring>
#include <span>
#include <string>

#include "base/checksum.h"
#include "base/number_arrays.h"
#include "model/layer_parts.h"
#include "model/model.h"
#include "model/model_header.h"

namespace llma {
namespace {

Error Corrupt(const char* what, const Section& section) {
  return Error{ErrorCode::kCorrupt, std::string("model file: ") + what,
               section.offset_bytes};
}

// True if a byte is 0x80, the int8 value -128.
bool HasMinInt8(Bytes values) {
  constexpr uint64_t kOnes = 0x0101010101010101;
  constexpr uint64_t kHighBits = 0x8080808080808080;
  // A word w has a zero byte if and only if (w - kOnes) & ~w & kHighBits != 0.
  constexpr size_t kLanes = 8;
  uint64_t found[kLanes] = {};
  size_t i = 0;
  for (; i + sizeof(found) <= values.size(); i += sizeof(found)) {
    uint64_t words[kLanes];
    std::memcpy(words, values.data() + i, sizeof(words));
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const uint64_t w = words[lane] ^ kHighBits;
      found[lane] |= (w - kOnes) & ~w & kHighBits;
    }
  }
  uint64_t any = 0;
  for (const uint64_t f : found) any |= f;
  for (; i < values.size(); ++i) any |= values[i] == 0x80;
  return any != 0;
}

// Takes sections in the order of the directory.
class SectionReader {
 public:
  // copies: gets what cannot be used in the file.
  SectionReader(Bytes bytes, const ModelHeader& header,
                std::vector<AlignedBuffer<uint8_t>>& copies)
      : bytes_(bytes),
        copies_(copies),
        sections_(header.sections),
        end_(static_cast<size_t>(header.header_bytes)) {}

  const Section& last() const { return sections_[next_ - 1]; }

  // The content of the next section; its checksum and the padding before it
  // are verified.
  template <class T>
  Result<std::span<const T>> Take() {
    LLMA_ASSIGN(const Bytes data, Next());
    if (Xxh3(data) != last().xxh3) return Damaged();
    return NumbersOfFile<T>(data, copies_);
  }

  Result<std::span<const float>> TakeNorm() {
    return TakeFloats(kMaxNormWeight, "a norm weight is out of bounds");
  }

  Result<std::span<const float>> TakeFloats(float max, const char* fault) {
    LLMA_ASSIGN(const std::span<const float> values, Take<float>());
    for (const float v : values) {  // written so that NaN fails
      if (!(v >= -max && v <= max)) return Corrupt(fault, last());
    }
    return values;
  }

  // A ...Values section and the ...Scales section after it.
  Result<LinearWeights> TakeLinear(const ModelConfig& config) {
    LLMA_ASSIGN(const Bytes values, Next());
    LinearWeights linear = LinearShape(config, last().kind);
    linear.values = reinterpret_cast<const int8_t*>(values.data());
    // Hash and range check together while a block is in the cache.
    constexpr size_t kBlockBytes = 1 << 16;
    Xxh3Stream hash;
    bool has_min = false;
    for (size_t pos = 0; pos < values.size(); pos += kBlockBytes) {
      const Bytes block =
          values.subspan(pos, std::min(kBlockBytes, values.size() - pos));
      hash.Update(block);
      has_min |= HasMinInt8(block);
    }
    if (hash.Digest() != last().xxh3) return Damaged();
    if (has_min) return Corrupt("a weight is -128", last());

    LLMA_ASSIGN(const std::span<const float> scales, Take<float>());
    linear.scales = scales.data();
    // Bit patterns of floats from +0 to kMaxScale are ascending integers; all
    // others (negative, infinite, NaN) are larger.
    uint32_t max_bits = 0;
    for (const float s : scales) {
      max_bits = std::max(max_bits, std::bit_cast<uint32_t>(s));
    }
    if (max_bits > std::bit_cast<uint32_t>(kMaxScale)) {
      return Corrupt("a scale is out of bounds", last());
    }
    LLMA_TRY(CheckPaddingRows(linear));
    return linear;
  }

 private:
  Result<Bytes> Next() {
    LLMA_ENSURE(next_ < sections_.size());
    const Section& s = sections_[next_++];
    // ParseModelHeader() has seen that it is inside the file.
    const auto offset_bytes = static_cast<size_t>(s.offset_bytes);
    const auto size_bytes = static_cast<size_t>(s.size_bytes);
    for (; end_ < offset_bytes; ++end_) {
      if (bytes_[end_] != 0) {
        return Error{ErrorCode::kCorrupt, "model file: padding is not zero",
                     end_};
      }
    }
    end_ = offset_bytes + size_bytes;
    return bytes_.subspan(offset_bytes, size_bytes);
  }

  Error Damaged() const {
    return Error{ErrorCode::kChecksum, "model file: a section is damaged",
                 last().offset_bytes};
  }

  // Rows after the last, up to a whole panel, are zero.
  Status CheckPaddingRows(const LinearWeights& w) const {
    for (uint32_t row = w.num_rows; row < w.num_panels() * kPanelRows; ++row) {
      bool zero = true;
      for (uint32_t col = 0; col < w.num_cols; ++col) {
        zero &= w.values[w.value_idx(row, col)] == 0;
      }
      for (uint32_t group = 0; group < w.num_groups(); ++group) {
        zero &= w.scales[w.scale_idx(row, group)] == 0;
      }
      if (!zero) return Corrupt("a padding row is not zero", last());
    }
    return OkStatus();
  }

  Bytes bytes_;
  std::vector<AlignedBuffer<uint8_t>>& copies_;
  std::span<const Section> sections_;
  size_t end_;  // of the section before
  size_t next_ = 0;
};

Status CheckTokens(std::span<const uint32_t> offsets, Bytes bytes,
                   const Section& section) {
  if (offsets.front() != 0 || offsets.back() != bytes.size()) {
    return Corrupt("bad token table", section);
  }
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    if (offsets[i] >= offsets[i + 1] ||
        offsets[i + 1] - offsets[i] > kMaxTokenBytes ||
        offsets[i + 1] > bytes.size()) {
      return Corrupt("bad length of a token", section);
    }
  }
  const TokenTable tokens(offsets, bytes);
  for (uint32_t row = 1; row < tokens.num_tokens(); ++row) {
    if (AsStringView(tokens.spelling(row - 1)) >=
        AsStringView(tokens.spelling(row))) {
      return Corrupt("tokens are not sorted", section);
    }
  }
  return OkStatus();
}

}  // namespace

Status Model::Parse(Bytes bytes) {
  LLMA_ASSIGN(const ModelHeader header, ParseModelHeader(bytes));
  if (bytes.size() < header.file_bytes) {
    return Error{ErrorCode::kTruncated, "model file: unexpected end",
                 bytes.size()};
  }
  if (bytes.size() > header.file_bytes) {
    return Error{ErrorCode::kCorrupt, "model file: bytes after the end",
                 header.file_bytes};
  }
  if (reinterpret_cast<uintptr_t>(bytes.data()) % kSectionAlignment != 0) {
    return Error{ErrorCode::kUsage, "model bytes are not 64-byte aligned"};
  }
  file_bytes_ = bytes;
  config_ = header.config;
  fingerprint_ = header.fingerprint;
  source_sha256_ = header.source_sha256;
  importer_version_ = header.importer_version;
  name_ = header.name;
  license_ = header.license;
  adapter_ = header.adapter;
  adapter_sha256_ = header.adapter_sha256;
  tokenizer_.pre_tokenizer = header.pre_tokenizer;

  SectionReader in(bytes, header, copies_);
  LLMA_ASSIGN(const std::span<const uint32_t> offsets, in.Take<uint32_t>());
  LLMA_ASSIGN(const Bytes spellings, in.Take<uint8_t>());
  LLMA_TRY(CheckTokens(offsets, spellings, in.last()));
  tokens_ = TokenTable(offsets, spellings);
  LLMA_ASSIGN(tokenizer_.merges, in.Take<uint32_t>());
  for (const uint32_t row : tokenizer_.merges) {
    if (row >= config_.num_tokens) {
      return Corrupt("a merge has no such token", in.last());
    }
  }
  LLMA_ASSIGN(rope_steps_, in.Take<uint64_t>());
  if (config_.has_local_layers()) {
    LLMA_ASSIGN(local_rope_steps_, in.Take<uint64_t>());
  }
  LLMA_ASSIGN(output_norm_, in.TakeNorm());
  LLMA_ASSIGN(embedding_, in.TakeLinear(config_));
  if (!config_.tied_head) {
    LLMA_ASSIGN(head_, in.TakeLinear(config_));
  }
  layers_.resize(config_.num_layers);
  for (LayerWeights& layer : layers_) {
    for (const LayerPart& part : kLayerParts) {
      if (!part.IsIn(config_)) continue;
      if (part.matrix != nullptr) {
        LLMA_ASSIGN(layer.*part.matrix, in.TakeLinear(config_));
      } else if (part.kind == SectionKind::kQkvBias) {
        LLMA_ASSIGN(layer.*part.floats,
                    in.TakeFloats(kMaxBias, "a bias is out of bounds"));
      } else {
        LLMA_ASSIGN(layer.*part.floats, in.TakeNorm());
      }
    }
  }
  return OkStatus();
}

Result<std::unique_ptr<Model>> Model::Open(const std::string& path) {
  LLMA_ASSIGN(MappedFile file, MappedFile::Open(path));
  std::unique_ptr<Model> model(new Model);
  Status parsed = model->Parse(file.bytes());
  if (!parsed) {
    return Error{parsed.error().code, path + ": " + parsed.error().what,
                 parsed.error().offset};
  }
  model->file_ = std::move(file);
  return model;
}

Result<std::unique_ptr<Model>> Model::FromBytes(Bytes bytes) {
  std::unique_ptr<Model> model(new Model);
  LLMA_TRY(model->Parse(bytes));
  return model;
}

}  // namespace llma
