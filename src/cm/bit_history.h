// SPDX-License-Identifier: Apache-2.0
// Bit histories: one byte that summarises the bits seen in a context, exactly
// while they are few, later as two bounded counts and the last bit. The table
// is generated; the order of its states is part of the format.
#ifndef LLMA_CM_BIT_HISTORY_H_
#define LLMA_CM_BIT_HISTORY_H_

#include <array>
#include <cstdint>

namespace llma::cm {

// State 0 has seen nothing. States are ordered by the number of bits they
// remember: a larger state is worth more when a hash slot must be given up.
struct BitHistory {
  uint8_t next[2] = {0, 0};  // the state after a 0, after a 1
  uint8_t n0 = 0;            // zeros remembered
  uint8_t n1 = 0;            // ones remembered
};

struct BitHistoryTable {
  std::array<BitHistory, 256> state;
  int num_states = 0;
};

// Made at the first call. Thread-safe.
const BitHistoryTable& GetBitHistoryTable();

// An estimate of P(1) in a state, 22 bits, to start adaptive maps from.
uint32_t InitialProbability22(const BitHistory& history);

}  // namespace llma::cm

#endif  // LLMA_CM_BIT_HISTORY_H_
