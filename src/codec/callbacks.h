// SPDX-License-Identifier: Apache-2.0
// What the codec calls while it works, and asks.
#ifndef LLMA_CODEC_CALLBACKS_H_
#define LLMA_CODEC_CALLBACKS_H_

#include <cstdint>
#include <functional>

#include "base/bytes.h"
#include "base/status.h"
#include "container/frame_header.h"
#include "model/model.h"

namespace llma {

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

// Takes the next bytes of a result. An error ends the work.
using ByteSink = std::function<Status(Bytes)>;

// The model with this id. It must outlive the work.
using ModelProvider = std::function<Result<const Model*>(const ModelId&)>;

}  // namespace llma

#endif  // LLMA_CODEC_CALLBACKS_H_
