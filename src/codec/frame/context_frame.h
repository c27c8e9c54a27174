// SPDX-License-Identifier: Apache-2.0
// The payload of a frame that the context models alone predict.
#ifndef LLMA_CODEC_CONTEXT_FRAME_H_
#define LLMA_CODEC_CONTEXT_FRAME_H_

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/page_cache.h"
#include "base/status.h"
#include "codec/callbacks.h"
#include "codec/choose/levels.h"
#include "codec/frame/piece_cost.h"
#include "codec/reference.h"
#include "coder/binary_coder.h"
#include "kernels/kernel_table.h"

namespace llma {

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

#endif  // LLMA_CODEC_CONTEXT_FRAME_H_
