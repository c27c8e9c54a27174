// SPDX-License-Identifier: Apache-2.0
// One piece of a lane, a token or an escaped byte, as coded decisions. The one
// loop that both directions share.
#ifndef LLMA_CODEC_PIECE_CODER_H_
#define LLMA_CODEC_PIECE_CODER_H_

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "cm/joint_predictor.h"
#include "coder/adaptive_bit.h"
#include "coder/binary_coder.h"
#include "container/frame_header.h"
#include "model/model.h"
#include "predict/token_walk.h"

namespace llma {

// The most memory that they need for content of this size.
uint64_t ContextModelsMemoryBytes(ContextModels context_models,
                                  uint64_t content_bytes);

// For how much content their tables are likely to be used: where a code is
// short that is little, whatever its header says.
inline uint64_t UsedBytes(uint64_t content_bytes, uint64_t code_bytes) {
  return std::min(content_bytes, 16 * code_bytes);
}

// Takes decisions as they are known, and writes nothing.
struct NoCoder {
  bool Code(bool known, Probability) { return known; }
};

// What a piece turned out to be.
struct CodedPiece {
  bool is_escape = false;
  uint32_t size_bytes = 0;
};

// What all lanes of a frame learn together, in the order in which their pieces
// are coded.
struct FrameModels {
  FrameModels(const TokenIndex& index, ContextModels context_models,
              std::span<const uint64_t> lane_bytes, uint64_t code_bytes,
              const KernelTable& kernels, PageCache* pages);
  // For a reference of this many bytes, which is a lane by itself, number
  // 0, before num_lanes others.
  FrameModels(const TokenIndex& index, ContextModels context_models,
              uint32_t num_lanes, uint64_t reference_bytes,
              uint64_t table_bytes, const KernelTable& kernels,
              PageCache* pages);
  // After that reference.
  FrameModels(const FrameModels& start, uint64_t reference_bytes,
              std::span<const uint64_t> lane_bytes);

  // The number of the content's first lane.
  uint32_t first_lane = 0;
  bool may_escape;                         // some byte is not a token by itself
  std::array<AdaptiveBit, 2> escape_flag;  // [was the lane's last piece one?]
  std::unique_ptr<cm::JointPredictor> joint;  // null: the language model alone
};

// Where a lane stands.
struct LanePosition {
  uint64_t remaining_bytes;
  uint32_t lane = 0;
  bool last_was_escape = false;
};

// The eight bits of a byte that no token spells.
template <class Coder>
uint8_t CodeEscapedByte(Coder& coder, FrameModels& models, uint32_t lane,
                        uint8_t known) {
  using cm::JointPredictor;
  uint32_t node = 1;
  if (models.joint) models.joint->BeginByte(lane);
  for (int i = 7; i >= 0; --i) {
    const Probability p =
        models.joint ? models.joint->PredictBit(JointPredictor::kEvenOdds)
                     : JointPredictor::kEvenOdds;
    const bool bit = coder.Code((known >> i & 1) != 0, p);
    if (models.joint) models.joint->UpdateBit(bit ? 1 : 0);
    node = node << 1 | (bit ? 1u : 0u);
  }
  if (models.joint) models.joint->EndEscape();
  return static_cast<uint8_t>(node);
}

// Codes the walk's next decision, unless it is certain, and takes it.
template <class Coder, class Walk>
void CodeDecision(Coder& coder, cm::JointPredictor* joint, uint32_t lane,
                  Walk& walk, bool known) {
  const Probability alone = walk.p1();
  const bool is_end = walk.at_end_decision();
  Probability p1 = alone;
  if (joint != nullptr) {
    if (!is_end && walk.bit_idx() == 7) joint->BeginByte(lane);
    p1 = is_end ? joint->PredictEnd(alone) : joint->PredictBit(alone);
  }
  const bool is_certain = alone == kCertainlyZero || alone == kCertainlyOne;
  const bool decision =
      is_certain ? alone == kCertainlyOne : coder.Code(known, p1);
  walk.Push(decision);
  if (joint == nullptr) return;
  if (is_end) {
    joint->UpdateEnd(decision);
  } else {
    joint->UpdateBit(decision ? 1 : 0);
  }
}

// Codes one piece. `coder` is a BinaryEncoder or BinaryDecoder. `walk` makes
// the decisions of a token: a TokenWalk or a recorded one. `known`: the bytes
// of the piece and whether it is an escape, for an encoder. Calls emit(byte)
// for each byte of the piece.
template <class Coder, class Walk, class Emit>
Result<CodedPiece> CodePiece(Coder& coder, FrameModels& models,
                             LanePosition& lane, Walk& walk, Bytes known,
                             bool known_escape, const Emit& emit) {
  LLMA_DCHECK(lane.remaining_bytes > 0);
  CodedPiece piece;
  const auto known_byte = [&](uint32_t i) {
    return i < known.size() ? known[i] : uint8_t{0};
  };
  if (models.may_escape) {
    piece.is_escape = CodeAdaptive(
        coder, models.escape_flag[lane.last_was_escape], known_escape);
  }
  lane.last_was_escape = piece.is_escape;
  if (piece.is_escape) {
    emit(CodeEscapedByte(coder, models, models.first_lane + lane.lane,
                         known_byte(0)));
    --lane.remaining_bytes;
    piece.size_bytes = 1;
    return piece;
  }
  while (!walk.is_done()) {
    if (walk.at_end_decision()) {
      emit(walk.last_byte());
      ++piece.size_bytes;
      if (--lane.remaining_bytes == 0) {
        // The lane ends here, so the token does.
        if (!walk.can_end_here()) {
          return Error{ErrorCode::kCorrupt, "the last token is incomplete"};
        }
        walk.Push(true);
        break;
      }
    }
    const bool known_decision =
        walk.at_end_decision()
            ? piece.size_bytes == known.size()
            : (known_byte(piece.size_bytes) >> walk.bit_idx() & 1) != 0;
    CodeDecision(coder, models.joint.get(), models.first_lane + lane.lane, walk,
                 known_decision);
  }
  return piece;
}

}  // namespace llma

#endif  // LLMA_CODEC_PIECE_CODER_H_
