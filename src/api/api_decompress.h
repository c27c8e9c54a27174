// SPDX-License-Identifier: Apache-2.0
// Whole buffers, back.
#ifndef LLMA_API_API_DECOMPRESS_H_
#define LLMA_API_API_DECOMPRESS_H_

#include <vector>

#include "api/api_model_source.h"

namespace llma::api {

// Tries the models that the message may need, one after the other.
Result<std::vector<uint8_t>> DecodeShort(Bytes message, ModelSource& models,
                                         const DecompressOptions& how);

}  // namespace llma::api

#endif  // LLMA_API_API_DECOMPRESS_H_
