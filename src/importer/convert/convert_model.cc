// SPDX-License-Identifier: Apache-2.0
#include "importer/convert/convert_model.h"

#include <cmath>
#include <optional>

#include "importer/convert/copy_weights.h"
#include "importer/convert/quantize_weights.h"
#include "importer/convert/rope_steps.h"
#include "importer/convert/tensor_reader.h"
#include "importer/convert/unsupported.h"
#include "importer/convert/vocabulary.h"
#include "importer/convert/window_shares.h"
#include "model/llmm_writer.h"
#include "tokenizer/split_patterns.h"

namespace llma {
namespace {

// Quantises matrices.
class FileSink : public WeightSink {
 public:
  explicit FileSink(LlmmWriter& file) : file_(file) {}

  Status AddFloats(std::span<const float> values) override {
    return file_.AddFloats(values);
  }
  Status BeginMatrix(uint32_t num_rows, uint32_t num_cols) override {
    matrix_.emplace(num_rows, num_cols);
    return OkStatus();
  }
  Status SetRow(uint32_t row_idx, std::span<const float> row) override {
    return matrix_->SetRow(row_idx, row);
  }
  Status EndMatrix() override { return file_.AddLinear(matrix_->view()); }

 private:
  LlmmWriter& file_;
  std::optional<PackedMatrix> matrix_;
};

// Longer queries and keys make larger scores: the divisor says so instead.
Status ApplyRopeMagnitude(const RopeSpec& rope, const RopeSpec& local_rope,
                          ModelConfig& config) {
  const double magnitude = RopeMagnitude(rope);
  if (config.has_local_layers() && RopeMagnitude(local_rope) != magnitude) {
    return Unsupported("RoPE scales the scores of some layers alone");
  }
  if (magnitude == 1) return OkStatus();
  const float divisor = config.score_divisor != 0
                            ? config.score_divisor
                            : std::sqrt(static_cast<float>(config.head_dim));
  config.score_divisor = static_cast<float>(divisor / (magnitude * magnitude));
  return OkStatus();
}

void ReportNotes(const SourceModel& source, const ImportOptions& options) {
  if (!options.note) return;
  for (const std::string& note : source.notes) options.note(note);
}

}  // namespace

Result<Fingerprint> ConvertModel(const SourceModel& source,
                                 const std::string& llmm_path,
                                 const ImportOptions& options) {
  LLMA_ASSIGN(const Vocabulary vocabulary,
              ReadVocabulary(source.vocabulary, options.start_token));
  ModelHeader header;
  header.importer_version = kImporterVersion;
  header.source_sha256 = source.sha256;
  header.adapter = source.adapter;
  header.adapter_sha256 = source.adapter_sha256;
  header.name = options.name;
  header.config = source.config;
  header.config.num_tokens = vocabulary.num_tokens;
  header.config.num_rows = static_cast<uint32_t>(vocabulary.ids.size());
  header.config.start_row = vocabulary.start_row;
  header.config.window_shares = KnownWindowShares(header.config);
  LLMA_TRY(ValidateModelConfig(header.config));
  header.pre_tokenizer = source.vocabulary.pre_tokenizer;
  if (FindSplitPattern(header.pre_tokenizer) == nullptr) {
    return Unsupported("pre-tokenizer " + std::string(header.pre_tokenizer));
  }
  // It is for people to read, no reason to refuse a model.
  if (IsPlainText(source.license, kMaxLicenseBytes)) {
    header.license = source.license;
  }
  TensorReader in(source.tensors);
  RopeSpec rope = source.rope;
  if (const char* name = source.names.rope_divisors; name && in.Has(name)) {
    LLMA_ASSIGN(rope.pair_divisors,
                in.ReadFloats(name, header.config.head_dim / 2));
  }
  // First the steps, for they check the numbers.
  LLMA_ASSIGN(const auto rope_steps,
              ComputeRopeSteps(rope, header.config.head_dim));
  LLMA_TRY(ApplyRopeMagnitude(rope, source.local_rope, header.config));

  LLMA_ASSIGN(LlmmWriter out,
              LlmmWriter::Create(llmm_path, options.overwrite, header));
  LLMA_TRY(out.AddTokenizer(vocabulary.offsets, vocabulary.bytes,
                            vocabulary.merges));
  LLMA_TRY(out.AddRopeSteps(rope_steps));
  if (header.config.has_local_layers()) {
    LLMA_ASSIGN(const auto steps,
                ComputeRopeSteps(source.local_rope, header.config.head_dim));
    LLMA_TRY(out.AddRopeSteps(steps));
  }
  FileSink sink(out);
  LLMA_TRY(CopyWeights(source, header.config, vocabulary, in, sink));
  return out.Finish();
}

Result<Fingerprint> ConvertSource(
    const std::function<Status(const SourceUser&)>& read,
    const std::string& llmm_path, const ImportOptions& options) {
  Fingerprint fingerprint;
  LLMA_TRY(read([&](const SourceModel& source) -> Status {
    ReportNotes(source, options);
    LLMA_ASSIGN(fingerprint, ConvertModel(source, llmm_path, options));
    return OkStatus();
  }));
  return fingerprint;
}

}  // namespace llma
