// SPDX-License-Identifier: Apache-2.0
// A model within a compressed file: a skippable frame before the frames that
// need it (docs/FORMAT.md section 5.2). Its payload is a fingerprint and a
// .llmm file, which this layer does not look into.
#ifndef LLMA_CONTAINER_MODEL_FRAME_H_
#define LLMA_CONTAINER_MODEL_FRAME_H_

#include <array>
#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "container/frame_header.h"
#include "container/frame_map.h"

namespace llma {

inline constexpr uint32_t kModelFrameType = 2;  // of skippable frames

using ModelFingerprint = std::array<uint8_t, 32>;

inline bool IsModelFrame(const FrameHeader& header) {
  return header.kind == FrameKind::kSkippable &&
         header.skippable_type == kModelFrameType;
}

// What stands before the .llmm file: the frame's header and the fingerprint.
struct ModelFrameStart {
  FrameHeader header;
  std::vector<uint8_t> header_bytes;
};
ModelFrameStart StartModelFrame(const ModelFingerprint& fingerprint,
                                Bytes model_file);

// The fingerprint that a payload starts with; kCorrupt if it has no room for it
// and a model.
Result<ModelFingerprint> ParseModelFingerprint(Bytes start);

// Where a model stands in a file.
struct EmbeddedModelLocation {
  ModelFingerprint fingerprint;
  uint64_t frame_ofs;
  uint64_t model_ofs;
  uint64_t model_bytes;
};
// Of a frame of this kind, from its header and what follows.
Result<EmbeddedModelLocation> FindEmbeddedModel(const RandomAccess& file,
                                                const FrameHeader& header,
                                                uint64_t frame_ofs,
                                                size_t header_bytes);

}  // namespace llma

#endif  // LLMA_CONTAINER_MODEL_FRAME_H_
