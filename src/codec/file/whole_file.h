// SPDX-License-Identifier: Apache-2.0
// A whole file in memory, which may also be a short message.
#ifndef LLMA_CODEC_WHOLE_FILE_H_
#define LLMA_CODEC_WHOLE_FILE_H_

#include <cstdint>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "codec/compress.h"
#include "codec/decompress.h"
#include "model/model.h"

namespace llma {

Result<std::vector<uint8_t>> Compress(Bytes content, const Model* model,
                                      const CompressOptions& options);
Result<std::vector<uint8_t>> Decompress(Bytes file, const Model* model,
                                        const DecompressOptions& options);

}  // namespace llma

#endif  // LLMA_CODEC_WHOLE_FILE_H_
