// SPDX-License-Identifier: Apache-2.0
// What llma_options say of compressing, and the models for it.
#ifndef LLMA_API_API_COMPRESS_OPTIONS_H_
#define LLMA_API_API_COMPRESS_OPTIONS_H_

#include <vector>

#include "api/api_model_source.h"
#include "codec/compress.h"

namespace llma::api {

// `cancelled` and `clock` may be null; they must outlive the work.
CompressOptions ForCompressing(const llma_options& options,
                               const std::atomic<bool>* cancelled,
                               StageClock* clock);

class CompressionModels : public ModelSource {
 public:
  explicit CompressionModels(const llma_options& options);
  // Null if the level needs none. With LLMA_OPTION_AUTO_MODEL there may be
  // others to choose from.
  Result<const Model*> ForCompressing(int level);
  const std::vector<const Model*>& others() const { return others_; }

 private:
  Result<const Model*> FindCandidates();

  const bool is_auto_;
  const uint64_t max_memory_bytes_;
  llma_note_fn note_;
  void* note_user_;
  std::vector<const Model*> others_;
};

}  // namespace llma::api

#endif  // LLMA_API_API_COMPRESS_OPTIONS_H_
