// SPDX-License-Identifier: Apache-2.0
// The payload of one frame to its content: as frame_encoder.h made it.
#ifndef LLMA_CODEC_FRAME_DECODER_H_
#define LLMA_CODEC_FRAME_DECODER_H_

#include <cstdint>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "codec/frame/frame_context.h"
#include "coder/binary_coder.h"
#include "engine/engine_registry.h"
#include "model/model_config.h"

namespace llma {

// The content of a code. Memory grows with what is decoded, not with what the
// header claims.
Result<std::vector<uint8_t>> DecodeFrame(const FrameContext& context,
                                         BinaryDecoder coder,
                                         std::span<const uint64_t> lane_bytes);

// What DecodeFrame needs for the language model, beside it, with an engine of
// this kind and a pool of this many threads.
uint64_t DecoderMemoryBytes(const EngineKind& kind, const ModelConfig& config,
                            uint32_t num_lanes, uint32_t window_positions,
                            int num_threads, bool learns = false);

}  // namespace llma

#endif  // LLMA_CODEC_FRAME_DECODER_H_
