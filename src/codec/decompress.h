// SPDX-License-Identifier: Apache-2.0
// A frame of a file to its content (docs/FORMAT.md).
#ifndef LLMA_CODEC_DECOMPRESS_H_
#define LLMA_CODEC_DECOMPRESS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/stage_clock.h"
#include "base/status.h"
#include "codec/callbacks.h"
#include "container/frame_header.h"
#include "model/model.h"

namespace llma {

class CodecContext;  // codec/codec_context.h
class Reference;     // codec/reference.h

struct DecompressOptions {
  int num_threads = 0;
  uint64_t max_memory_bytes = ~uint64_t{0};  // kLimit beyond
  bool verify_checksums = true;
  uint64_t total_bytes = 0;  // of the content, if known
  // Of a file, or of what is read of it; kLimit beyond, before any work.
  uint64_t max_content_bytes = ~uint64_t{0};
  bool one_member = false;  // a FileDecoder is done after the first one
  ProgressCallback progress;
  FrameCallback on_frame;
  std::string kernels;
  StageClock* clock = nullptr;
  CodecContext* context = nullptr;  // null: one for this work alone
  // May be null; contents without a reference do not mind one.
  std::shared_ptr<const Reference> reference;
  // Of a frame: if set, its passes are shared with those of other frames of its
  // context that have the same number. One of a single lane shares them anyway.
  // What is called back meanwhile must not wait for another of these frames.
  std::optional<uint32_t> pass_group;
};

// Knows one model, which may be null.
ModelProvider OneModel(const Model* model);

// The model that a frame needs, or null. It is looked for only if the frame can
// be predicted here.
Result<const Model*> ModelOf(const FrameHeader& header,
                             const ModelProvider& models);

// The content of a frame. Offsets of errors count from the payload's start.
// `model` may be null unless the header's kind is FrameKind::kCoded.
Result<std::vector<uint8_t>> DecompressFrame(const FrameHeader& header,
                                             Bytes payload, const Model* model,
                                             const DecompressOptions& options);

// A bound, for limits, with this many threads (0: all processors). Not of the
// model's own memory.
uint64_t DecompressMemoryBytes(const FrameHeader& header, const Model* model,
                               int num_threads);

}  // namespace llma

#endif  // LLMA_CODEC_DECOMPRESS_H_
