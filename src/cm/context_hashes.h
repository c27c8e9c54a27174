// SPDX-License-Identifier: Apache-2.0
// The contexts of each model set: which parts of a lane's history each one
// looks at, as a hash. The order of contexts is part of the format.
#ifndef LLMA_CM_CONTEXT_HASHES_H_
#define LLMA_CM_CONTEXT_HASHES_H_

#include <cstdint>

#include "cm/lane_history.h"

namespace llma::cm {

inline constexpr int kMaxContexts = 128;

// Writes the hashes of all contexts and returns how many there are, the same
// number at every call. The first six are orders 1 to 6. content: the bytes
// of all lanes. out: [kMaxContexts].
int HashLightContexts(const LaneHistory& lane, const uint8_t* content,
                      uint32_t* out);
int HashFullContexts(const LaneHistory& lane, const uint8_t* content,
                     uint32_t* out);

}  // namespace llma::cm

#endif  // LLMA_CM_CONTEXT_HASHES_H_
