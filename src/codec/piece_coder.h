// SPDX-License-Identifier: Apache-2.0
// One piece of a lane, a token or an escaped byte, as coded decisions. The one
// loop that both directions share.
#ifndef LLMA_CODEC_PIECE_CODER_H_
#define LLMA_CODEC_PIECE_CODER_H_

#include <array>
#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "coder/adaptive_bit.h"
#include "coder/binary_coder.h"
#include "coder/byte_model.h"
#include "model/model.h"
#include "predict/token_walk.h"

namespace llma {

// What a piece turned out to be.
struct CodedPiece {
  bool is_escape = false;
  uint32_t size_bytes = 0;
};

// What all lanes of a frame learn together, in the order in which their pieces
// are coded.
struct FrameModels {
  explicit FrameModels(const TokenTable& tokens)
      : may_escape(HasUnspelledByte(tokens)) {
    // An escape is rare until one was seen.
    for (int i = 0; i < 64; ++i) escape_flag[0].Update(false);
  }

  // True if some byte is not a token by itself.
  static bool HasUnspelledByte(const TokenTable& tokens);

  bool may_escape;
  std::array<AdaptiveBit, 2> escape_flag;  // [was the lane's last piece one?]
  ByteModel escaped_bytes;
};

// Where a lane stands.
struct LanePosition {
  uint64_t remaining_bytes;
  bool last_was_escape = false;
  uint8_t last_byte = 0;
};

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
    lane.last_byte =
        models.escaped_bytes.Code(coder, known_byte(0), lane.last_byte);
    emit(lane.last_byte);
    --lane.remaining_bytes;
    piece.size_bytes = 1;
    return piece;
  }
  while (!walk.is_done()) {
    if (walk.at_end_decision()) {
      lane.last_byte = walk.last_byte();
      emit(lane.last_byte);
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
    const Probability p1 = walk.p1();
    const bool is_certain = p1 == kCertainlyZero || p1 == kCertainlyOne;
    const bool known_decision =
        walk.at_end_decision()
            ? piece.size_bytes == known.size()
            : (known_byte(piece.size_bytes) >> walk.bit_idx() & 1) != 0;
    walk.Push(is_certain ? p1 == kCertainlyOne
                         : coder.Code(known_decision, p1));
  }
  return piece;
}

}  // namespace llma

#endif  // LLMA_CODEC_PIECE_CODER_H_
