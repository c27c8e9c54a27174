// SPDX-License-Identifier: Apache-2.0
// A content to the payload of one frame: its lanes advance in lockstep, one
// piece each a step, and share one arithmetic code.
#ifndef LLMA_CODEC_FRAME_ENCODER_H_
#define LLMA_CODEC_FRAME_ENCODER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "codec/frame/frame_context.h"
#include "coder/binary_coder.h"
#include "engine/engine_registry.h"
#include "model/model_config.h"
#include "model/text_piece.h"

namespace llma {

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

// What EncodeFrame needs for the language model, beside it, with an engine of
// this kind and a pool of this many threads.
uint64_t EncoderMemoryBytes(const EngineKind& kind, const ModelConfig& config,
                            uint32_t num_lanes, uint32_t window_positions,
                            int num_threads, bool learns = false);

}  // namespace llma

#endif  // LLMA_CODEC_FRAME_ENCODER_H_
