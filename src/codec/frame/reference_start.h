// SPDX-License-Identifier: Apache-2.0
// Where a frame starts after a reference: what the language model and the
// context models know then. It is made once for all frames that start alike.
#ifndef LLMA_CODEC_REFERENCE_START_H_
#define LLMA_CODEC_REFERENCE_START_H_

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "codec/frame/frame_context.h"
#include "codec/frame/piece_coder.h"
#include "engine/engine.h"
#include "model/text_piece.h"

namespace llma {

// The reference cut into pieces by the longest token each time, which needs no
// tokenizer.
std::vector<TextPiece> CutGreedily(const TokenIndex& index, Bytes text);

// What the language model has read: the last pieces of a reference.
struct ReadTokens {
  std::shared_ptr<const StreamStart> stream;  // null: there was no token
  std::vector<uint32_t> tokens;               // without the start token
};

struct ReferenceStart {
  std::shared_ptr<const ReadTokens> read;
  std::shared_ptr<const FrameModels> models;
};

// Nothing if the frame has no reference.
Result<std::optional<ReferenceStart>> ReadReference(
    const FrameContext& context, std::span<const uint64_t> lane_bytes);

// Those of a frame whose code has about this many bytes.
FrameModels StartModels(const FrameContext& context,
                        const std::optional<ReferenceStart>& start,
                        std::span<const uint64_t> lane_bytes,
                        uint64_t code_bytes);

// How many pieces at the end of a reference the language model reads.
uint32_t MaxReadPieces(uint32_t window_positions);

// What that takes beside the frame's own, with a pool of this many threads.
uint64_t ReadingMemoryBytes(const ModelConfig& config,
                            uint32_t window_positions, int num_threads);

}  // namespace llma

#endif  // LLMA_CODEC_REFERENCE_START_H_
