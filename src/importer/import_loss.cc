// SPDX-License-Identifier: Apache-2.0
#include "importer/import_loss.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <filesystem>
#include <system_error>
#include <vector>

#include "importer/copy_weights.h"
#include "importer/float_model.h"
#include "importer/model_import.h"
#include "kernels/kernel_table.h"
#include "model/forward.h"
#include "tokenizer/tokenizer.h"

namespace llma {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kBatchRows = 32;
constexpr uint32_t kMaxCheckedTokens = 1 << 14;

// A folder that goes with its content.
class TemporaryFolder {
 public:
  static Result<TemporaryFolder> Create() {
    std::error_code error;
    std::string path =
        fs::temp_directory_path(error).string() + "/llma_check_XXXXXX";
    if (error || ::mkdtemp(path.data()) == nullptr) {
      return Error{ErrorCode::kIo, path + ": cannot make a folder; set TMPDIR"};
    }
    return TemporaryFolder(path);
  }
  TemporaryFolder(TemporaryFolder&& other) noexcept
      : path_(std::exchange(other.path_, "")) {}
  TemporaryFolder& operator=(TemporaryFolder&&) = delete;
  ~TemporaryFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit TemporaryFolder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

double ExactBits(const Model& model, const KernelTable& kernels,
                 ThreadPool& pool, const std::vector<uint32_t>& fed) {
  const auto num_tokens = static_cast<uint32_t>(fed.size() - 1);
  ForwardPass forward(model, kernels, pool, kBatchRows, num_tokens);
  KvCache cache(model.config(), num_tokens, kBatchRows);
  std::vector<float> logits(kBatchRows * forward.logits_stride());
  const uint32_t num_rows = model.config().num_tokens;
  std::vector<uint32_t> weights(num_rows);
  std::vector<uint64_t> sums((num_rows + kTokenBlock - 1) / kTokenBlock);
  double bits = 0;
  for (uint32_t i = 0; i < num_tokens; i += kBatchRows) {
    const uint32_t count = std::min(kBatchRows, num_tokens - i);
    const StreamBatch stream = {&cache, std::span(fed).subspan(i, count)};
    forward.Run({&stream, 1});
    forward.ComputeLogits(0, count, logits.data());
    for (uint32_t row = 0; row < count; ++row) {
      kernels.token_weights(logits.data() + row * forward.logits_stride(),
                            num_rows, weights.data(), sums.data());
      uint64_t total = 0;
      for (const uint64_t sum : sums) total += sum;
      bits += std::log2(static_cast<double>(total) / weights[fed[i + row + 1]]);
    }
  }
  return bits;
}

// The start row, then the first rows of a text; bytes without a token are left
// out.
Result<std::vector<uint32_t>> RowsOf(const Model& model, Bytes text,
                                     uint32_t max_tokens, ImportLoss& loss) {
  LLMA_ASSIGN(const auto tokenizer,
              Tokenizer::Create(model.tokens(), model.tokenizer()));
  std::vector<uint32_t> fed = {model.config().start_row};
  for (const TextPiece& piece : tokenizer->Encode(text)) {
    if (piece.row == TextPiece::kEscape) continue;
    if (loss.num_tokens == max_tokens) break;
    fed.push_back(piece.row);
    ++loss.num_tokens;
    loss.num_bytes += piece.size_bytes;
  }
  if (loss.num_tokens == 0) {
    return Error{ErrorCode::kUsage, "the text has no tokens of this model"};
  }
  return fed;
}

}  // namespace

Result<ImportLoss> MeasureImportLoss(const std::string& source_path, Bytes text,
                                     uint32_t max_tokens, int num_threads) {
  if (max_tokens == 0 || max_tokens > kMaxCheckedTokens) {
    return Error{ErrorCode::kUsage, "the number of tokens is not from 1 to " +
                                        std::to_string(kMaxCheckedTokens)};
  }
  LLMA_ASSIGN(const TemporaryFolder folder, TemporaryFolder::Create());
  LLMA_ASSIGN(const KernelTable* kernels, KernelsFromEnvironment());
  ThreadPool pool(num_threads);
  ImportLoss loss;
  const auto measure = [&](const SourceModel& source) -> Status {
    const std::string path = folder.path() + "/check.llmm";
    LLMA_TRY(ConvertModel(source, path, {"check", "", false}));
    LLMA_ASSIGN(const auto model, Model::Open(path));
    LLMA_ASSIGN(const auto fed, RowsOf(*model, text, max_tokens, loss));
    loss.exact_bits = ExactBits(*model, *kernels, pool, fed);
    LLMA_ASSIGN(const Vocabulary vocabulary,
                ReadVocabulary(source.vocabulary, ""));
    TensorReader in(source.tensors);
    if (const char* name = source.names.rope_divisors; name && in.Has(name)) {
      LLMA_TRY(in.ReadFloats(name, model->config().head_dim / 2));
    }
    FloatModel floats(*model, pool);
    LLMA_TRY(CopyWeights(source, model->config(), vocabulary, in, floats));
    loss.float_bits = floats.Bits(fed);
    return OkStatus();
  };
  LLMA_TRY(ReadSource(source_path, measure));
  return loss;
}

}  // namespace llma
