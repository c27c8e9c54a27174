// SPDX-License-Identifier: Apache-2.0
// Whether content is worth the language model's time. Only an encoder asks; the
// file says what was used.
#ifndef LLMA_CODEC_MODEL_CHOICE_H_
#define LLMA_CODEC_MODEL_CHOICE_H_

#include <cstdint>
#include <span>

#include "base/bytes.h"
#include "base/status.h"
#include "codec/frame/frame_context.h"
#include "model/text_piece.h"

namespace llma {

// Below this the model is used unless nothing can be predicted.
inline constexpr uint64_t kMinBytesToChoose = 16384;
// Below this always: it takes half a second.
inline constexpr uint64_t kMinBytesToTry = 512;

// `light_code_bytes`: the size of the content's code if the light context
// models alone predict. True if nothing can be predicted: random bytes, which
// is what compressed and encrypted ones look like, also in base64 or as digits.
bool IsUnpredictable(Bytes content, uint64_t light_code_bytes);

// True if that code is next to nothing (long runs and repetitions), or if
// nothing can be predicted.
bool DoContextsSuffice(Bytes content, uint64_t light_code_bytes);

// False if samples show that the language model is far worse than the context
// models (machine code).
//   pieces: of the whole content
Result<bool> IsModelWorthwhile(const FrameContext& context, Bytes content,
                               std::span<const TextPiece> pieces,
                               uint64_t light_code_bytes);

}  // namespace llma

#endif  // LLMA_CODEC_MODEL_CHOICE_H_
