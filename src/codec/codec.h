// SPDX-License-Identifier: Apache-2.0
// Contents to compressed files and back (docs/FORMAT.md): frame by frame, file
// by file in pieces of any size, or whole in memory.
#ifndef LLMA_CODEC_CODEC_H_
#define LLMA_CODEC_CODEC_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/stage_clock.h"
#include "base/status.h"
#include "codec/choose/levels.h"
#include "codec/frame/piece_cost.h"
#include "container/frame_header.h"
#include "container/source_info.h"
#include "model/model.h"

namespace llma {

class CodecContext;     // codec/codec_context.h
class Reference;        // codec/reference.h
class CompressContext;  // codec/compress_context.h

struct CodecProgress {
  uint64_t done_bytes;   // of the content
  uint64_t total_bytes;  // of the content; 0: not known
  uint64_t coded_bytes;  // written or read so far
};

// Called now and then, from any thread but never twice at a time; false cancels
// the work, which then ends with an error.
using ProgressCallback = std::function<bool(const CodecProgress&)>;

// Called for each frame of a file when it is done.
using FrameCallback =
    std::function<void(const FrameHeader& header, uint64_t frame_bytes)>;

struct CompressOptions {
  int level = kDefaultLevel;      // codec/choose/levels.h
  int num_threads = 0;            // 0: all processors
  uint32_t num_lanes = 0;         // 0: by level and size of the content
  uint32_t window_positions = 0;  // 0: the level's
  // What helps the language model to predict, or predicts without one; else
  // the level's.
  std::optional<ContextModels> context_models;
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
  uint32_t max_chances = 0;                    // for each piece

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
  std::optional<uint32_t> pass_group;
};

// Takes the next bytes of a result. An error ends the work.
using ByteSink = std::function<Status(Bytes)>;

// The model with this id. It must outlive the work.
using ModelProvider = std::function<Result<const Model*>(const ModelId&)>;
// Knows one model, which may be null.
ModelProvider OneModel(const Model* model);

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

// The content of a frame. Offsets of errors count from the payload's start.
// `model` may be null unless the header's kind is FrameKind::kCoded.
Result<std::vector<uint8_t>> DecompressFrame(const FrameHeader& header,
                                             Bytes payload, const Model* model,
                                             const DecompressOptions& options);

// Whether a frame is decoded in passes that it shares with others of its
// context. Then what is called back meanwhile must not wait for another of
// them.
bool SharesPasses(const FrameHeader& header,
                  std::optional<uint32_t> pass_group = {});

// Bounds, for limits, with this many threads (0: all processors). Not of the
// model's own memory, nor of other models.
uint64_t CompressMemoryBytes(uint64_t content_bytes, const Model* model,
                             const CompressOptions& options);
// The same to restore what CompressFrame makes of a content, whatever that is.
uint64_t RestoreMemoryBytes(uint64_t content_bytes, const Model* model,
                            const CompressOptions& options);
uint64_t DecompressMemoryBytes(const FrameHeader& header, const Model* model,
                               int num_threads);

// A whole file in memory.
Result<std::vector<uint8_t>> Compress(Bytes content, const Model* model,
                                      const CompressOptions& options);
Result<std::vector<uint8_t>> Decompress(Bytes file, const Model* model,
                                        const DecompressOptions& options);

}  // namespace llma

#endif  // LLMA_CODEC_CODEC_H_
