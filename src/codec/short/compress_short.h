// SPDX-License-Identifier: Apache-2.0
// A content to a short message (decompress_short.h).
#ifndef LLMA_CODEC_COMPRESS_SHORT_H_
#define LLMA_CODEC_COMPRESS_SHORT_H_

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "codec/compress.h"
#include "model/model.h"

namespace llma {

// kLimit if the content is too large. Of the options only threads, kernels and
// the progress count.
Result<std::vector<uint8_t>> CompressShort(Bytes content, const Model& model,
                                           const CompressOptions& options);

}  // namespace llma

#endif  // LLMA_CODEC_COMPRESS_SHORT_H_
