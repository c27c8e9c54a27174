// SPDX-License-Identifier: Apache-2.0
// The short form of a file, for messages of tens of bytes (docs/FORMAT.md
// section 6): 4 bytes besides the code, and a check of 16 bits.
#ifndef LLMA_CODEC_DECOMPRESS_SHORT_H_
#define LLMA_CODEC_DECOMPRESS_SHORT_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/bytes.h"
#include "base/status.h"
#include "codec/decompress.h"
#include "model/model.h"

namespace llma {

inline constexpr size_t kMaxShortMessageBytes = 65535;
// No short message is longer than its content by more than this.
inline constexpr size_t kMaxShortOverheadBytes = 3;

// Whether a file starts like one; one byte says so.
bool IsShortMessage(Bytes file);
// The first byte of the fingerprint of the model that it needs; nothing if it
// needs none.
std::optional<uint8_t> ModelOfShortMessage(Bytes file);

// `model` may be null if the message needs none. With a wrong model, or damage,
// it is an error but for one in 65,536.
Result<std::vector<uint8_t>> DecompressShort(Bytes file, const Model* model,
                                             const DecompressOptions& options);

}  // namespace llma

#endif  // LLMA_CODEC_DECOMPRESS_SHORT_H_
