// SPDX-License-Identifier: Apache-2.0
// A content to one frame of a file (docs/FORMAT.md); in lanes, with the model
// and the repetitions that suit it.
#ifndef LLMA_CODEC_COMPRESS_H_
#define LLMA_CODEC_COMPRESS_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/stage_clock.h"
#include "base/status.h"
#include "codec/callbacks.h"
#include "codec/choose/levels.h"
#include "codec/frame/piece_cost.h"
#include "container/frame_header.h"
#include "container/source_info.h"
#include "model/model.h"

namespace llma {

class CompressContext;  // codec/compress_context.h
class Reference;        // codec/reference.h

struct CompressOptions {
  int level = kDefaultLevel;      // codec/choose/levels.h
  int num_threads = 0;            // 0: all processors
  uint32_t num_lanes = 0;         // 0: by level and size of the content
  uint32_t window_positions = 0;  // 0: the level's
  // What helps the language model to predict, or predicts without one; else
  // the level's.
  std::optional<ContextModels> context_models;
  // Whether the language model learns while it reads; else as the level does.
  std::optional<bool> learns;
  uint64_t max_memory_bytes = ~uint64_t{0};  // fewer frames at a time; kLimit
  bool has_checksums = true;
  // Beside the one that is given: what suits a frame best compresses it. Those
  // that would need too much memory are left out.
  std::vector<const Model*> other_models;
  ProgressCallback progress;
  std::string kernels;          // a name; empty: $LLMA_KERNELS, else the best
  StageClock* clock = nullptr;  // gets the time of each stage
  CostCallback on_costs;        // gets what the pieces cost
  // With on_costs alone: gets them while a frame is coded, lane by lane. It may
  // yet be coded in another way, and then costs what on_costs gets.
  CostCallback on_new_costs;
  CompressContext* context = nullptr;          // null: one for this work alone
  std::shared_ptr<const Reference> reference;  // may be null
  uint32_t max_alternatives = 0;               // for each piece

  // Of files; a frame does not see them.
  uint64_t frame_bytes = 0;        // content of a frame; 0: the level's
  uint64_t first_frame_bytes = 0;  // the first one's, then they grow; 0: equal
  uint64_t total_bytes = 0;        // of the content, if known
  std::optional<SourceInfo> source_info;
  bool embeds_models = false;  // those that are used go into the file
  // Then the file goes on as another member, with an index of its own.
  uint64_t max_member_frames = uint64_t{1} << 20;
  FrameCallback on_frame;
};

struct CompressedFrame {
  FrameHeader header;
  std::vector<uint8_t> code;  // empty if the content is stored

  // What follows the header. `content`: of this frame.
  Bytes Payload(Bytes content) const {
    return header.kind == FrameKind::kStored ? content : code;
  }
  // With the header.
  uint64_t size_bytes() const {
    return HeaderBytes(header).size() + header.payload_bytes;
  }
};

// Larger than the content by at most kMaxStoredHeaderBytes.
// `model` may be null if the level uses none. `is_last`: the only content frame
// of its file.
Result<CompressedFrame> CompressFrame(Bytes content, bool is_last,
                                      const Model* model,
                                      const CompressOptions& options);

// Bounds, for limits, with this many threads (0: all processors), with all of a
// reference, which frames share. Not of the model's own memory, nor of other
// models.
uint64_t CompressMemoryBytes(uint64_t content_bytes, const Model* model,
                             const CompressOptions& options);
// The same to restore what CompressFrame makes of a content, whatever that is.
uint64_t RestoreMemoryBytes(uint64_t content_bytes, const Model* model,
                            const CompressOptions& options);

}  // namespace llma

#endif  // LLMA_CODEC_COMPRESS_H_
