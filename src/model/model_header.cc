// SPDX-License-Identifier: Apache-2.0
#include "model/model_header.h"

#include <algorithm>
#include <string>

#include "base/checksum.h"

namespace llma {
namespace {

// Offsets of fixed fields; the rest of the header is read in sequence.
constexpr uint64_t kFixedBytes = 24;  // magic, version, two sizes
constexpr uint64_t kChecksumBytes = 8;
// 256 layers of 10 sections of 32 bytes are 80 KiB.
constexpr uint64_t kMaxHeaderBytes = 1 << 20;

// Positions in ListSections of the two sections whose size is free.
constexpr size_t kTokenBytesIdx = 1;
constexpr size_t kMergesIdx = 2;

Error Corrupt(const char* what, uint64_t offset) {
  return Error{ErrorCode::kCorrupt, std::string("model file: ") + what, offset};
}

Result<std::string_view> LoadString(ByteReader& in) {
  LLMA_ASSIGN(const uint16_t size, in.LoadU16());
  LLMA_ASSIGN(const Bytes bytes, in.Take(size));
  return AsStringView(bytes);
}

Status LoadHash(ByteReader& in, std::array<uint8_t, 32>& hash) {
  LLMA_ASSIGN(const Bytes bytes, in.Take(hash.size()));
  std::copy(bytes.begin(), bytes.end(), hash.begin());
  return OkStatus();
}

// The u32 fields of the configuration in the order of the file.
constexpr uint32_t ModelConfig::*kConfigFields[] = {
    &ModelConfig::num_layers, &ModelConfig::dim,
    &ModelConfig::num_heads,  &ModelConfig::num_kv_heads,
    &ModelConfig::head_dim,   &ModelConfig::ffn_dim,
    &ModelConfig::num_tokens, &ModelConfig::num_rows,
    &ModelConfig::start_row,  &ModelConfig::context_length,
};

// Flags; all but the first stand for a variation of the Llama layer.
constexpr uint32_t kTiedHead = 1 << 0;
constexpr uint32_t kQkvBias = 1 << 1;
constexpr uint32_t kQkNorm = 1 << 2;
constexpr uint32_t kPostNorms = 1 << 3;
constexpr uint32_t kGeluTanh = 1 << 4;
constexpr uint32_t kWideKeys = 1 << 5;
constexpr uint32_t kHasNumbers = 1 << 6;  // the numbers of variations follow
constexpr uint32_t kHasShares = 1 << 7;   // window shares follow
constexpr uint32_t kAllFlags = (1 << 8) - 1;

constexpr float ModelConfig::*kNumberFields[] = {
    &ModelConfig::embedding_scale,
    &ModelConfig::score_divisor,
    &ModelConfig::score_cap,
    &ModelConfig::logit_cap,
};

uint32_t FlagsOf(const ModelConfig& config) {
  const ModelConfig llama;
  bool has_numbers = config.has_local_layers();
  for (const auto field : kNumberFields) {
    has_numbers |= config.*field != llama.*field;
  }
  return (config.tied_head ? kTiedHead : 0) |
         (config.has_qkv_bias ? kQkvBias : 0) |
         (config.has_qk_norm ? kQkNorm : 0) |
         (config.has_post_norms ? kPostNorms : 0) |
         (config.activation == Activation::kGeluTanh ? kGeluTanh : 0) |
         (config.key_width == KeyWidth::k15Bits ? kWideKeys : 0) |
         (has_numbers ? kHasNumbers : 0) |
         (config.window_shares.empty() ? 0 : kHasShares);
}

Status LoadConfig(ByteReader& in, ModelConfig& config) {
  for (const auto field : kConfigFields) {
    LLMA_ASSIGN(config.*field, in.LoadU32());
  }
  LLMA_ASSIGN(const uint32_t flags, in.LoadU32());
  if ((flags & ~kAllFlags) != 0) {
    return Error{ErrorCode::kUnsupported,
                 "model file: a flag is not known to this program",
                 in.offset() - 4};
  }
  config.tied_head = (flags & kTiedHead) != 0;
  config.has_qkv_bias = (flags & kQkvBias) != 0;
  config.has_qk_norm = (flags & kQkNorm) != 0;
  config.has_post_norms = (flags & kPostNorms) != 0;
  if ((flags & kGeluTanh) != 0) config.activation = Activation::kGeluTanh;
  if ((flags & kWideKeys) != 0) config.key_width = KeyWidth::k15Bits;
  LLMA_ASSIGN(config.norm_eps, in.LoadF32());
  if ((flags & kHasNumbers) != 0) {
    for (const auto field : kNumberFields) {
      LLMA_ASSIGN(config.*field, in.LoadF32());
    }
    LLMA_ASSIGN(config.local_positions, in.LoadU32());
    for (uint32_t& word : config.local_layers) {
      LLMA_ASSIGN(word, in.LoadU32());
    }
  }
  // Shares have no count of their own, so the numbers are checked before.
  LLMA_TRY(ValidateModelConfig(config));
  if ((flags & kHasShares) != 0) {
    LLMA_ASSIGN(const Bytes shares,
                in.Take(size_t{config.num_layers} * config.num_kv_heads));
    config.window_shares.assign(shares.begin(), shares.end());
    LLMA_TRY(ValidateModelConfig(config));
  }
  if (FlagsOf(config) != flags) {
    return Corrupt("the flags do not fit the numbers", in.offset());
  }
  return OkStatus();
}

Status CheckSizes(const ModelHeader& header) {
  const auto& sections = header.sections;
  const uint64_t token_bytes_size = sections[kTokenBytesIdx].size_bytes;
  const uint64_t merges_size = sections[kMergesIdx].size_bytes;
  const uint64_t num_tokens = header.config.num_tokens;
  if (token_bytes_size < num_tokens ||
      token_bytes_size > num_tokens * kMaxTokenBytes) {
    return Error{ErrorCode::kCorrupt, "model file: bad size of token table"};
  }
  if (merges_size % kMergeBytes != 0 ||
      merges_size / kMergeBytes > kMaxMerges) {
    return Error{ErrorCode::kCorrupt, "model file: bad size of merges"};
  }
  const auto expected =
      ListSections(header.config, token_bytes_size, merges_size / kMergeBytes);
  for (size_t i = 0; i < sections.size(); ++i) {
    if (sections[i].kind != expected[i].kind ||
        sections[i].layer != expected[i].layer ||
        sections[i].size_bytes != expected[i].size_bytes) {
      return Error{ErrorCode::kCorrupt, "model file: section " +
                                            std::to_string(i) +
                                            " is not what it should be"};
    }
  }
  return OkStatus();
}

// Ascending, aligned, close together, up to the end of the file.
Status CheckSectionOffsets(const ModelHeader& header) {
  uint64_t end = header.header_bytes;
  for (const Section& s : header.sections) {
    const uint64_t alignment =
        IsValuesSection(s.kind) ? kValuesAlignment : kSectionAlignment;
    if (s.offset_bytes < end || s.offset_bytes - end >= kMaxPaddingBytes ||
        s.offset_bytes % alignment != 0 || s.size_bytes > header.file_bytes ||
        s.offset_bytes > header.file_bytes - s.size_bytes) {
      return Corrupt("a section is misplaced", s.offset_bytes);
    }
    end = s.offset_bytes + s.size_bytes;
  }
  if (end != header.file_bytes) return Corrupt("wrong file size", end);
  return OkStatus();
}

}  // namespace

bool IsValidModelName(std::string_view name) {
  return !name.empty() && name.size() <= kMaxNameBytes &&
         name.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789._-") ==
             std::string_view::npos;
}

bool IsNewModelName(std::string_view name) {
  return IsValidModelName(name) && name != "." && name != ".." &&
         name != "auto" && name != "default" && !name.ends_with(".llmm");
}

bool IsPlainText(std::string_view text, size_t max_bytes) {
  return text.size() <= max_bytes &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return c >= 0x20 && c <= 0x7e; });
}

Result<ModelHeader> ParseModelHeader(Bytes bytes) {
  ByteReader in(bytes);
  const size_t magic_size = std::min(kModelMagic.size(), bytes.size());
  if (AsStringView(bytes).starts_with("GGUF")) {
    return Error{ErrorCode::kBadMagic,
                 "is a GGUF file: `llma model import` makes a model of it", 0};
  }
  if (magic_size == 0 || AsStringView(bytes.first(magic_size)) !=
                             kModelMagic.substr(0, magic_size)) {
    return Error{ErrorCode::kBadMagic, "not a model file (.llmm)", 0};
  }
  LLMA_TRY(in.Take(kModelMagic.size()));
  LLMA_ASSIGN(const uint32_t version, in.LoadU32());
  if (version != kModelFormatVersion) {
    return Error{ErrorCode::kUnsupported,
                 "model file: format version " + std::to_string(version) +
                     " is not known to this program: a newer one may",
                 4};
  }
  ModelHeader header;
  LLMA_ASSIGN(header.header_bytes, in.LoadU64());
  LLMA_ASSIGN(header.file_bytes, in.LoadU64());
  if (header.header_bytes < kFixedBytes + kChecksumBytes ||
      header.header_bytes > kMaxHeaderBytes) {
    return Corrupt("bad header size", 8);
  }
  if (header.header_bytes > bytes.size()) {
    return Error{ErrorCode::kTruncated, "model file: unexpected end",
                 bytes.size()};
  }
  const Bytes covered =
      bytes.first(static_cast<size_t>(header.header_bytes - kChecksumBytes));
  ByteReader checksum(bytes.subspan(covered.size(), kChecksumBytes));
  LLMA_ASSIGN(const uint64_t xxh3, checksum.LoadU64());
  if (Xxh3(covered) != xxh3) {
    return Error{ErrorCode::kChecksum, "model file: the header is damaged", 0};
  }

  in = ByteReader(covered);
  LLMA_TRY(in.Take(kFixedBytes));
  LLMA_ASSIGN(header.importer_version, in.LoadU32());
  LLMA_TRY(LoadHash(in, header.fingerprint));
  LLMA_TRY(LoadHash(in, header.source_sha256));
  LLMA_TRY(LoadConfig(in, header.config));
  LLMA_ASSIGN(header.name, LoadString(in));
  LLMA_ASSIGN(header.license, LoadString(in));
  LLMA_ASSIGN(header.pre_tokenizer, LoadString(in));
  if (!IsValidModelName(header.name) ||
      !IsPlainText(header.license, kMaxLicenseBytes) ||
      !IsPlainText(header.pre_tokenizer, kMaxNameBytes)) {
    return Corrupt("bad string in the header", in.offset());
  }
  LLMA_ASSIGN(const uint32_t num_sections, in.LoadU32());
  if (num_sections != ListSections(header.config, 0, 0).size()) {
    return Corrupt("wrong number of sections", in.offset() - 4);
  }
  header.sections.resize(num_sections);
  for (Section& s : header.sections) {
    LLMA_ASSIGN(const uint32_t kind, in.LoadU32());
    s.kind = static_cast<SectionKind>(kind);
    LLMA_ASSIGN(s.layer, in.LoadU32());
    LLMA_ASSIGN(s.offset_bytes, in.LoadU64());
    LLMA_ASSIGN(s.size_bytes, in.LoadU64());
    LLMA_ASSIGN(s.xxh3, in.LoadU64());
  }
  if (in.remaining() != 0) {
    LLMA_TRY(LoadHash(in, header.adapter_sha256));
    LLMA_ASSIGN(header.adapter, LoadString(in));
    if (header.adapter.empty() ||
        !IsPlainText(header.adapter, kMaxAdapterNameBytes)) {
      return Corrupt("bad name of an adapter in the header", in.offset());
    }
  }
  if (in.remaining() != 0) return Corrupt("bad header size", 8);
  LLMA_TRY(CheckSizes(header));
  LLMA_TRY(CheckSectionOffsets(header));
  return header;
}

void StoreModelConfig(const ModelConfig& config, ByteWriter& out) {
  for (const auto field : kConfigFields) out.StoreU32(config.*field);
  const uint32_t flags = FlagsOf(config);
  out.StoreU32(flags);
  out.StoreF32(config.norm_eps);
  if ((flags & kHasNumbers) != 0) {
    for (const auto field : kNumberFields) out.StoreF32(config.*field);
    out.StoreU32(config.local_positions);
    for (const uint32_t word : config.local_layers) out.StoreU32(word);
  }
  out.StoreBytes(config.window_shares);
}

std::vector<uint8_t> EncodeModelHeader(const ModelHeader& header) {
  ByteWriter body;  // everything between the fixed fields and the checksum
  body.StoreU32(header.importer_version);
  body.StoreBytes(header.fingerprint);
  body.StoreBytes(header.source_sha256);
  StoreModelConfig(header.config, body);
  for (const auto text : {header.name, header.license, header.pre_tokenizer}) {
    body.StoreU16(static_cast<uint16_t>(text.size()));
    body.StoreBytes(AsBytes(text));
  }
  body.StoreU32(static_cast<uint32_t>(header.sections.size()));
  for (const Section& s : header.sections) {
    body.StoreU32(static_cast<uint32_t>(s.kind));
    body.StoreU32(s.layer);
    body.StoreU64(s.offset_bytes);
    body.StoreU64(s.size_bytes);
    body.StoreU64(s.xxh3);
  }
  if (!header.adapter.empty()) {
    body.StoreBytes(header.adapter_sha256);
    body.StoreU16(static_cast<uint16_t>(header.adapter.size()));
    body.StoreBytes(AsBytes(header.adapter));
  }
  ByteWriter out;
  out.StoreBytes(AsBytes(kModelMagic));
  out.StoreU32(kModelFormatVersion);
  out.StoreU64(kFixedBytes + body.size() + kChecksumBytes);
  out.StoreU64(header.file_bytes);
  out.StoreBytes(body.bytes());
  out.StoreU64(Xxh3(out.bytes()));
  return std::move(out).TakeBytes();
}

}  // namespace llma
