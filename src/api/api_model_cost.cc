// SPDX-License-Identifier: Apache-2.0
// What a model costs on a text.
#include <string>

#include "api/api_error.h"
#include "api/api_model.h"
#include "api/api_options.h"
#include "importer/measure/import_loss.h"
#include "platform/file_info.h"

using namespace llma::api;

namespace {

// A file or folder that is no .llmm file.
bool IsSource(std::string_view path) {
  return !path.ends_with(".llmm") && !llma::IsMissing(std::string(path));
}

}  // namespace

extern "C" {

llma_status llma_model_measure(const char* source, const char* adapter,
                               const void* text, size_t text_bytes,
                               uint32_t max_tokens, uint32_t num_threads,
                               llma_model_cost* cost, llma_error* error) {
  return Guard(error, [&]() -> llma::Status {
    LLMA_ASSIGN(const llma::Bytes bytes, LoadBytes(text, text_bytes));
    if (num_threads > kMaxThreads) return Usage("too many threads");
    const int threads = NumThreads(num_threads);
    const std::string path = source == nullptr ? "" : source;
    const std::string adapter_path = adapter == nullptr ? "" : adapter;
    llma::ImportLoss loss;
    if (IsSource(path)) {
      LLMA_ASSIGN(loss, llma::MeasureImportLoss(path, adapter_path, bytes,
                                                max_tokens, threads));
    } else {
      if (!adapter_path.empty()) {
        return Usage(
            "an adapter is merged into a GGUF file or a folder, not "
            "into a model that was imported");
      }
      LLMA_ASSIGN(const SharedModel opened, OpenByName(path));
      LLMA_ASSIGN(loss, llma::MeasureModelBits(*opened->model, bytes,
                                               max_tokens, threads));
    }
    return Fill(cost, {0, loss.num_tokens, loss.num_bytes, loss.exact_bits,
                       loss.float_bits});
  });
}

}  // extern "C"
