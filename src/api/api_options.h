// SPDX-License-Identifier: Apache-2.0
// What llma_options holds, as options of the codec.
#ifndef LLMA_API_API_OPTIONS_H_
#define LLMA_API_API_OPTIONS_H_

#include <llma/llma.h>

#include <atomic>
#include <optional>
#include <string>

#include "api/api_context.h"
#include "api/api_error.h"
#include "api/api_model.h"
#include "codec/decompress.h"
#include "codec/reference.h"
#include "container/source_info.h"

namespace llma::api {

inline constexpr uint32_t kMaxThreads = 4096;

}  // namespace llma::api

struct llma_options {
  uint64_t level = LLMA_LEVEL_DEFAULT;
  uint64_t lanes = 0, window = 0;
  uint64_t context_models = LLMA_CONTEXTS_OF_LEVEL;
  uint64_t frame_bytes = 0;
  uint64_t quick_start = 0, checksums = 1, auto_model = 0;
  uint64_t embed_models = 0;
  uint64_t learn = LLMA_LEARN_AS_LEVEL;
  uint64_t threads = 0, memory_bytes = 0, total_bytes = 0;
  uint64_t max_content_bytes = 0, stats = 0, one_file = 0;
  llma::api::SharedModel model;
  llma::api::SharedContext context;
  std::shared_ptr<const llma::Reference> reference;
  llma_find_model_fn find = nullptr;
  void* find_user = nullptr;
  std::string kernels;
  std::optional<llma::SourceInfo> source_info;
  llma_progress_fn progress = nullptr;
  void* progress_user = nullptr;
  llma_frame_fn on_frame = nullptr;
  void* frame_user = nullptr;
  llma_note_fn note = nullptr;
  void* note_user = nullptr;
};

namespace llma::api {

// How many threads are of use, where so many are asked for (0: not said): those
// beyond the processors only wait for each other.
int NumThreads(uint64_t asked);

// The defaults for NULL.
llma_options Copy(const llma_options* options);

// What both directions make of options. `cancelled` may be null; it must
// outlive the work.
uint64_t MemoryBytes(const llma_options& options);
ProgressCallback Progress(const llma_options& options,
                          const std::atomic<bool>* cancelled);
FrameCallback OnFrame(const llma_options& options);
// Null if there is none for this process.
CompressContext* ContextOf(const llma_options& options);

// `cancelled` and `clock` may be null; they must outlive the work.
DecompressOptions ForDecompressing(const llma_options& options,
                                   const std::atomic<bool>* cancelled,
                                   StageClock* clock);

llma_frame_info FrameInfo(const FrameHeader& header);

}  // namespace llma::api

#endif  // LLMA_API_API_OPTIONS_H_
