// SPDX-License-Identifier: Apache-2.0
#include "importer/measure/import_loss.h"

#include <cstdlib>
#include <vector>

#include "importer/convert/copy_weights.h"
#include "importer/measure/float_model.h"
#include "importer/measure/text_bits.h"
#include "importer/model_import.h"
#include "platform/file_system.h"

namespace llma {
namespace {

constexpr uint32_t kMaxCheckedTokens = 1 << 14;

// Adds up what they are.
Result<TextRows> CountRows(const Model& model, Bytes text, uint32_t max_tokens,
                           ImportLoss& loss) {
  if (max_tokens == 0 || max_tokens > kMaxCheckedTokens) {
    return Error{ErrorCode::kUsage, "the number of tokens is not from 1 to " +
                                        std::to_string(kMaxCheckedTokens)};
  }
  LLMA_ASSIGN(TextRows text_rows, RowsOfText(model, text, max_tokens));
  if (text_rows.rows.empty()) {
    return Error{ErrorCode::kUsage, "the text has no tokens of this model"};
  }
  loss.num_tokens = static_cast<uint32_t>(text_rows.rows.size());
  for (const uint32_t size : text_rows.size_bytes) loss.num_bytes += size;
  return text_rows;
}

}  // namespace

Result<ImportLoss> MeasureModelBits(const Model& model, Bytes text,
                                    uint32_t max_tokens, int num_threads) {
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  ThreadPool pool(num_threads);
  ImportLoss loss;
  LLMA_ASSIGN(const TextRows text_rows,
              CountRows(model, text, max_tokens, loss));
  loss.exact_bits = ExactBits(model, *kernels, pool, text_rows.rows);
  return loss;
}

Result<ImportLoss> MeasureImportLoss(const std::string& source_path,
                                     const std::string& adapter_path,
                                     Bytes text, uint32_t max_tokens,
                                     int num_threads) {
  LLMA_ASSIGN(const TemporaryFolder folder, TemporaryFolder::Create());
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  ThreadPool pool(num_threads);
  ImportLoss loss;
  const auto measure = [&](const SourceModel& source) -> Status {
    const std::string path = folder.path() + "/check.llmm";
    LLMA_TRY(ConvertModel(source, path, {"check", "", false}));
    LLMA_ASSIGN(const auto model, Model::Open(path));
    LLMA_ASSIGN(const TextRows text_rows,
                CountRows(*model, text, max_tokens, loss));
    loss.exact_bits = ExactBits(*model, *kernels, pool, text_rows.rows);
    LLMA_ASSIGN(const Vocabulary vocabulary,
                ReadVocabulary(source.vocabulary, ""));
    TensorReader in(source.tensors);
    if (const char* name = source.names.rope_divisors; name && in.Has(name)) {
      LLMA_TRY(in.ReadFloats(name, model->config().head_dim / 2));
    }
    FloatModel floats(*model, pool);
    LLMA_TRY(CopyWeights(source, model->config(), vocabulary, in, floats));
    std::vector<uint32_t> fed = {model->config().start_row};
    fed.insert(fed.end(), text_rows.rows.begin(), text_rows.rows.end());
    loss.float_bits = floats.Bits(fed);
    return OkStatus();
  };
  LLMA_TRY(ReadSource(source_path, adapter_path, measure));
  return loss;
}

}  // namespace llma
