// SPDX-License-Identifier: Apache-2.0
// Where an interrupted compression goes on.
#ifndef LLMA_CODEC_RESUME_POINT_H_
#define LLMA_CODEC_RESUME_POINT_H_

#include <cstdint>
#include <set>

#include "base/checksum.h"
#include "base/status.h"
#include "codec/reference.h"
#include "container/frame_index.h"
#include "container/frame_map.h"
#include "container/model_frame.h"

namespace llma {

struct ResumePoint {
  IndexBuilder index;  // of the whole frames that are there
  uint64_t content_bytes = 0;
  std::set<ModelFingerprint> embedded_models;
};

// Looks for whole frames at the start of `part`, and compares their checksums
// with `content`. `content_xxh3` gets the content that they cover. kUsage if
// that is not what they were made from, kReference if that was given another
// `reference`, which may be null: a file has one, if any.
Result<ResumePoint> FindResumePoint(const RandomAccess& part,
                                    const RandomAccess& content,
                                    const Reference* reference,
                                    Xxh3Stream& content_xxh3);

}  // namespace llma

#endif  // LLMA_CODEC_RESUME_POINT_H_
