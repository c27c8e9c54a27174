// SPDX-License-Identifier: Apache-2.0
// The intact frames of a damaged file, and ranges of a content.
#ifndef LLMA_CODEC_SALVAGE_H_
#define LLMA_CODEC_SALVAGE_H_

#include <cstdint>
#include <functional>
#include <optional>
#include <vector>

#include "codec/decompress.h"
#include "container/frame_map.h"

namespace llma {

// A part of the content that cannot be restored.
struct LostRange {
  uint64_t content_ofs;  // as the file had it, if all before has a known size
  std::optional<uint64_t> content_bytes;  // nothing: not known
};

struct SalvageReport {
  uint64_t num_restored = 0;  // frames
  uint64_t restored_bytes = 0;
  std::vector<LostRange> lost;
};

// Where a restored content goes: `Skip` leaves out so many bytes that are lost,
// so that what follows stands where it stood.
struct SalvageSink {
  ByteSink Write;
  std::function<Status(uint64_t)> Skip;
};

// Everything that is intact. An error only if that cannot be known: the file
// cannot be read, or a model is missing.
Result<SalvageReport> Salvage(const RandomAccess& file,
                              const ModelProvider& models,
                              const DecompressOptions& options,
                              const SalvageSink& sink);

// Content bytes [content_ofs, content_ofs + content_bytes), less what is beyond
// its end. Only the frames that it touches are decoded.
Status DecompressRange(const RandomAccess& file, uint64_t content_ofs,
                       uint64_t content_bytes, const ModelProvider& models,
                       const DecompressOptions& options, const ByteSink& sink);

}  // namespace llma

#endif  // LLMA_CODEC_SALVAGE_H_
