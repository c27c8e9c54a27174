// SPDX-License-Identifier: Apache-2.0
// One file out of a ZIP archive of unknown origin. What the packages of Python
// use is read: stored and deflated members; no encryption, no ZIP64, one part.
#ifndef LLMA_STORE_ZIP_READER_H_
#define LLMA_STORE_ZIP_READER_H_

#include <cstdint>
#include <functional>
#include <string_view>

#include "base/bytes.h"
#include "base/status.h"

namespace llma::store {

// Gives the content of the member to the sink, piece by piece. The CRC-32 is
// compared at the end: until this returns without an error, it may be wrong.
// kCorrupt, kLimit if the member says that it has more than `max_bytes`,
// kUnsupported, or the error of the sink.
Status ExtractZipMember(Bytes archive, std::string_view name,
                        uint64_t max_bytes,
                        const std::function<Status(Bytes)>& sink);

}  // namespace llma::store

#endif  // LLMA_STORE_ZIP_READER_H_
