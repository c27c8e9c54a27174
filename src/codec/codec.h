// SPDX-License-Identifier: Apache-2.0
// A whole content to a compressed file and back, in memory (docs/FORMAT.md).
#ifndef LLMA_CODEC_CODEC_H_
#define LLMA_CODEC_CODEC_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/stage_clock.h"
#include "base/status.h"
#include "codec/levels.h"
#include "container/frame_header.h"
#include "model/model.h"

namespace llma {

struct CodecProgress {
  uint64_t done_bytes;   // of the content
  uint64_t total_bytes;  // of the content
  uint64_t coded_bytes;  // written or read so far
};

// Called now and then from the calling thread; false cancels the work, which
// then ends with an error.
using ProgressCallback = std::function<bool(const CodecProgress&)>;

struct CompressOptions {
  int level = kDefaultLevel;      // codec/levels.h
  int num_threads = 0;            // 0: all processors
  uint32_t num_lanes = 0;         // 0: by level and size of the content
  uint32_t window_positions = 0;  // 0: the level's
  // What helps the language model to predict, or predicts without one; else
  // the level's.
  std::optional<ContextModels> context_models;
  ProgressCallback progress;
  std::string kernels;          // a name; empty: $LLMA_KERNELS, else the best
  StageClock* clock = nullptr;  // told where the time goes
};

struct DecompressOptions {
  int num_threads = 0;
  uint64_t max_memory_bytes = ~uint64_t{0};  // kLimit beyond
  ProgressCallback progress;
  std::string kernels;
  StageClock* clock = nullptr;
};

// Larger than the content by at most 64 bytes. `model` may be null if the level
// uses none.
Result<std::vector<uint8_t>> Compress(Bytes content, const Model* model,
                                      const CompressOptions& options);

// The header of a file: which model it needs, and how large its content is.
Result<FrameHeader> PeekHeader(Bytes file);

// `model` may be null unless the header's kind is ContentKind::kCoded.
Result<std::vector<uint8_t>> Decompress(Bytes file, const Model* model,
                                        const DecompressOptions& options);

}  // namespace llma

#endif  // LLMA_CODEC_CODEC_H_
