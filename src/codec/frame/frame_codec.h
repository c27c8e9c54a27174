// SPDX-License-Identifier: Apache-2.0
// The payload of one frame: its lanes advance in lockstep, one piece each a
// step, and share one arithmetic code.
#ifndef LLMA_CODEC_FRAME_CODEC_H_
#define LLMA_CODEC_FRAME_CODEC_H_

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "base/page_cache.h"
#include "base/stage_clock.h"
#include "base/status.h"
#include "base/thread_pool.h"
#include "codec/codec.h"
#include "codec/frame/piece_cost.h"
#include "codec/reference.h"
#include "coder/binary_coder.h"
#include "engine/engine.h"
#include "engine/engine_registry.h"
#include "kernels/kernel_table.h"
#include "model/model_config.h"
#include "model/text_piece.h"

namespace llma {

// Names what this program computes: PREDICTOR.md, and NUMERICS.md beneath it.
inline constexpr uint32_t kPredictorId = 1;

// What both directions need. All must outlive the call.
struct FrameContext {
  Engine& engine;              // of the model
  const KernelTable& kernels;  // of context models
  ThreadPool& pool;
  uint32_t window_positions;
  ContextModels context_models;
  const ProgressCallback& progress;
  StageClock* clock = nullptr;
  FrameCosts* costs = nullptr;  // filled by an encoder, in order
  PageCache* pages = nullptr;   // for tables, caches; may be null
  ReferenceUse reference = {};
  // A decoder's passes, which frames with the same pool share; null: its own.
  ThreadPool* joint_pool = nullptr;
};

// Cuts pieces into `num_lanes` runs of about equal length, none empty; fewer if
// there are fewer pieces. Gives the content bytes of each.
std::vector<uint64_t> SplitIntoLanes(std::span<const TextPiece> pieces,
                                     uint32_t num_lanes);

// The code of `content`. `pieces` cover it exactly; no piece spans two lanes.
// `coder` may have coded something before.
Result<std::vector<uint8_t>> EncodeFrame(const FrameContext& context,
                                         Bytes content,
                                         std::span<const TextPiece> pieces,
                                         std::span<const uint64_t> lane_bytes,
                                         BinaryEncoder coder = {});

// The probabilities along a token, in memory: for one of some tens of bytes.
inline constexpr uint64_t kPathBytes = 2048;

// What EncodeFrame and DecodeFrame need for the language model, beside it, with
// an engine of this kind and a pool of this many threads.
uint64_t EncoderMemoryBytes(const EngineKind& kind, const ModelConfig& config,
                            uint32_t num_lanes, uint32_t window_positions,
                            int num_threads);
uint64_t DecoderMemoryBytes(const EngineKind& kind, const ModelConfig& config,
                            uint32_t num_lanes, uint32_t window_positions,
                            int num_threads);

// The content of a code. Memory grows with what is decoded, not with what the
// header claims.
Result<std::vector<uint8_t>> DecodeFrame(const FrameContext& context,
                                         BinaryDecoder coder,
                                         std::span<const uint64_t> lane_bytes);

// The code of `content` if the context models alone predict; not kNone.
Result<std::vector<uint8_t>> EncodeContextFrame(
    ContextModels models, Bytes content, const KernelTable& kernels,
    const ProgressCallback& progress, FrameCosts* costs = nullptr,
    BinaryEncoder coder = {}, PageCache* pages = nullptr,
    const ReferenceUse& reference = {});
Result<std::vector<uint8_t>> DecodeContextFrame(
    ContextModels models, BinaryDecoder coder, uint64_t content_bytes,
    const KernelTable& kernels, const ProgressCallback& progress,
    PageCache* pages = nullptr, const ReferenceUse& reference = {});

}  // namespace llma

#endif  // LLMA_CODEC_FRAME_CODEC_H_
