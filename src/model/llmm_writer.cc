// SPDX-License-Identifier: Apache-2.0
#include "model/llmm_writer.h"

#include <algorithm>
#include <optional>
#include <vector>

#include "base/checksum.h"
#include "base/number_arrays.h"

namespace llma {
namespace {

uint64_t AlignUp(uint64_t offset, uint64_t alignment) {
  return (offset + alignment - 1) / alignment * alignment;
}

}  // namespace

LlmmWriter::LlmmWriter(OutputFile file, const ModelHeader& header)
    : at_end_(std::make_unique<RemovalAtEnd>(file.place_to_unlink())),
      file_(std::move(file)),
      header_(header) {}

Result<LlmmWriter> LlmmWriter::Create(const std::string& path, bool overwrite,
                                      const ModelHeader& header) {
  LLMA_TRY(ValidateModelConfig(header.config));
  if (!IsNewModelName(header.name)) {
    return Error{ErrorCode::kUsage,
                 "'" + std::string(header.name) +
                     "' is no model name: " + kNewModelNames};
  }
  if (!IsPlainText(header.license, kMaxLicenseBytes) ||
      !IsPlainText(header.pre_tokenizer, kMaxNameBytes)) {
    return Error{ErrorCode::kUnsupported,
                 "the license or pre-tokenizer is not plain text"};
  }
  std::optional<InterruptionBlock> block(std::in_place);
  LLMA_ASSIGN(OutputFile file,
              OutputFile::Create(path, {.overwrite = overwrite}));
  LlmmWriter writer(std::move(file), header);
  block.reset();
  writer.fingerprint_.AddConfig(header.config);
  // Sizes that are not known yet are set as the sections come.
  writer.header_.sections = ListSections(header.config, 0, 0);
  LLMA_TRY(writer.PadTo(EncodeModelHeader(writer.header_).size()));
  return writer;
}

Status LlmmWriter::PadTo(uint64_t offset_bytes) {
  const std::vector<uint8_t> zeros(static_cast<size_t>(offset_bytes - end_));
  LLMA_TRY(file_.Write(zeros));
  end_ = offset_bytes;
  return OkStatus();
}

Status LlmmWriter::AddSection(Bytes content) {
  LLMA_ENSURE(next_section_ < header_.sections.size());
  Section& s = header_.sections[next_section_++];
  LLMA_TRY(PadTo(AlignUp(
      end_, IsValuesSection(s.kind) ? kValuesAlignment : kSectionAlignment)));
  s.offset_bytes = end_;
  s.size_bytes = content.size();
  s.xxh3 = Xxh3(content);
  end_ += content.size();
  return file_.Write(content);
}

template <class T>
Status LlmmWriter::AddNumbers(std::span<const T> numbers) {
  std::vector<uint8_t> copy;
  return AddSection(BytesForFile(numbers, copy));
}

Status LlmmWriter::AddTokenizer(std::span<const uint32_t> offsets,
                                Bytes spellings,
                                std::span<const uint32_t> merges) {
  fingerprint_.AddTokenizer(TokenTable(offsets, spellings),
                            {header_.pre_tokenizer, merges});
  LLMA_TRY(AddNumbers(offsets));
  LLMA_TRY(AddSection(spellings));
  return AddNumbers(merges);
}

Status LlmmWriter::AddRopeSteps(std::span<const uint64_t> steps) {
  fingerprint_.AddRopeSteps(steps);
  return AddNumbers(steps);
}

Status LlmmWriter::AddFloats(std::span<const float> values) {
  fingerprint_.AddFloats(values);
  return AddNumbers(values);
}

Status LlmmWriter::AddLinear(const LinearWeights& weights) {
  fingerprint_.AddLinear(weights);
  LLMA_TRY(AddNumbers(std::span<const int8_t>(
      weights.values, static_cast<size_t>(weights.values_bytes()))));
  return AddNumbers(std::span<const float>(
      weights.scales, static_cast<size_t>(weights.num_scales())));
}

Result<Fingerprint> LlmmWriter::Finish() {
  header_.fingerprint = fingerprint_.Digest();
  header_.file_bytes = end_;
  const std::vector<uint8_t> bytes = EncodeModelHeader(header_);
  // What cannot be read back was called in a wrong order.
  LLMA_TRY(ParseModelHeader(bytes));
  LLMA_TRY(file_.WriteStart(bytes));
  LLMA_TRY(file_.SyncAndCommit());
  return header_.fingerprint;
}

}  // namespace llma
