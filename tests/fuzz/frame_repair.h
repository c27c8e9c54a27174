// SPDX-License-Identifier: Apache-2.0
// For fuzzers and tests of damage: makes the checks of a damaged file right
// again, so that the damage gets past them.
#ifndef LLMA_TESTS_FUZZ_FRAME_REPAIR_H_
#define LLMA_TESTS_FUZZ_FRAME_REPAIR_H_

#include <cstdint>
#include <vector>

#include "base/bytes.h"

namespace llma {

struct RepairOptions {
  bool fix_checksums = true;  // of payloads; those of headers always
  bool fix_indexes = true;    // an index becomes that of the frames before it
};

// Coded content keeps its checksum. Bytes that are no frame stay as they are.
std::vector<uint8_t> RepairFrames(Bytes file, const RepairOptions& options);

}  // namespace llma

#endif  // LLMA_TESTS_FUZZ_FRAME_REPAIR_H_
